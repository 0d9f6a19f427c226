/** Seals one paid part: its text is encrypted, the key sealed to the provider, the terms signed by the merchant. */
import { CONTENT_KEY_BYTES, encryptArticle } from "../../shared/article.ts";
import { sha256, toBase64url } from "../../shared/bytes.ts";
import { canonicalJson } from "../../shared/canonical.ts";
import type { SigningKey } from "../../shared/jws.ts";
import type { ProviderInfo } from "../../shared/protocol/provider.ts";
import { issueSeal } from "../../shared/seal.ts";
import type { KeptSeals, SealedText } from "./kept-seals.ts";

const NONCE_BYTES = 12;
/** Of what a fingerprint is made of. */
const FINGERPRINT_VERSION = 1;

export interface SealingTerms {
  readonly merchant: string;
  readonly key: SigningKey;
  readonly provider: ProviderInfo;
  readonly merchantRecord: string | undefined;
  /** Where the page's own mark names none. */
  readonly defaultPrice: string | undefined;
  /** Where a reader without the wallet is told how to get it. */
  readonly walletUrl: string | undefined;
  /** Seconds since 1970. */
  readonly nowSeconds: number;
}

export interface PartToSeal {
  readonly paidHtml: string;
  readonly resource: string;
  /** Micros. */
  readonly amount: bigint;
}

/** What was sealed before is taken as it is, where nothing that it was made of has changed. */
export async function sealPart(
  part: PartToSeal,
  terms: SealingTerms,
  kept: KeptSeals | undefined,
): Promise<SealedText & { readonly isFresh: boolean }> {
  const fingerprint = await fingerprintOf(part, terms);
  const before = kept?.find(fingerprint);
  if (before) return { ...before, isFresh: false };
  const { paidHtml, resource, amount } = part;
  const { merchant, key, provider, merchantRecord, nowSeconds } = terms;
  const contentKey = crypto.getRandomValues(new Uint8Array(CONTENT_KEY_BYTES));
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await encryptArticle(paidHtml, contentKey, resource, nonce);
  const { currency, sealingKey } = provider;
  const seal = await issueSeal(
    { merchant, resource, amount, currency, issuedAtSeconds: nowSeconds },
    contentKey,
    sealingKey,
    key,
  );
  const record = merchantRecord === undefined ? {} : { merchantRecord };
  const text = { seal, sealed, ...record, issuedAtSeconds: nowSeconds };
  kept?.keep(fingerprint, text);
  return { ...text, isFresh: true };
}

/** Of all that a seal is made of, but the key that signs it: what another key has sealed is not kept at all. */
async function fingerprintOf(
  { paidHtml, resource, amount }: PartToSeal,
  { merchant, provider }: SealingTerms,
): Promise<string> {
  const madeOf = {
    version: FINGERPRINT_VERSION,
    text: toBase64url(await sha256(paidHtml)),
    resource,
    amount: amount.toString(),
    currency: provider.currency,
    merchant,
    provider: provider.origin,
    sealedTo: provider.sealingKey.x,
  };
  return toBase64url(await sha256(canonicalJson(madeOf)));
}
