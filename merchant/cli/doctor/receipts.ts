/** Receipts that must not open what they were not given for. Each goes to the site alone, as a browser sends it. */
import { randomBytes } from "node:crypto";
import { readUnverified, signingKeyFromSeed } from "../../../shared/jws.ts";
import { HOLDER_PROOF_SECONDS, HolderProofClaims, issueHolderProof } from "../../../shared/receipt.ts";
import type { ProgramWallet, ReadOffer } from "../../../wallet/node/index.ts";
import { tryGet, type Visitor } from "./examination.ts";
import type { FindingCode } from "./findings.ts";
import type { Answer } from "./requests.ts";
import type { Spending } from "./spending.ts";

export interface Probe {
  readonly src: string;
  readonly offer: ReadOffer;
  /** Whether an answer is the article. */
  readonly opens: (answer: Answer) => boolean;
  readonly payer: Visitor;
  readonly program: ProgramWallet;
  readonly spending: Spending;
}

/** Twice as old as it may be. */
const EXPIRED_MS = 2 * HOLDER_PROOF_SECONDS * 1_000;

/** Whether the genuine receipt opens the article: else nothing is learned from refusals. */
export async function tryReceipts(probe: Probe, nowMs: number): Promise<boolean> {
  const { src, offer, opens, payer, program } = probe;
  const held = await program.bought(src, offer);
  if (!held) {
    payer.leaveOut("receipts: the provider has not heard of the payment");
    return false;
  }
  const { receipt, holderProof } = held;
  const show = async (url: string, header: string) => {
    const answer = await tryGet(payer, url, { accept: "*/*", "PAYMENT-RECEIPT": header });
    return answer !== undefined && opens(answer);
  };
  const refuses = async (code: FindingCode, url: string, header: string, seen: string) => {
    if (await show(url, header)) payer.find(code, url, seen);
  };
  if (!(await show(src, `${receipt}~${holderProof}`))) {
    payer.find("receipt-not-accepted", src);
    payer.leaveOut("what other receipts open: this site takes none");
    return false;
  }
  await refuses("receipt-not-verified", src, `${alter(receipt)}~${holderProof}`, "an altered receipt");
  await refuses(
    "receipt-not-held",
    src,
    `${receipt}~${await signByAnother(holderProof)}`,
    "a proof by another key",
  );
  await refuses("receipt-not-held", src, receipt, "no proof");
  const old = await program.bought(src, offer, nowMs - EXPIRED_MS);
  if (old) {
    const minutes = EXPIRED_MS / 60_000;
    await refuses(
      "receipt-proof-expired",
      src,
      `${receipt}~${old.holderProof}`,
      `a proof of ${minutes} minutes ago`,
    );
  }
  return true;
}

/** A genuine receipt of the full price, for an address that sells nothing: the provider receipts any. It is given back. */
export async function tryOtherReceipt({ src, offer, opens, payer, program, spending }: Probe): Promise<void> {
  const other = withProbeAddress(offer);
  const { paymentId } = await program.payDirect(other, src, offer.amount);
  spending.add(offer.amount);
  const held = await program.bought(src, other);
  const header = held && `${held.receipt}~${held.holderProof}`;
  const answer = header && (await tryGet(payer, src, { accept: "*/*", "PAYMENT-RECEIPT": header }));
  if (answer && opens(answer)) payer.find("receipt-other-article", src, `the receipt of ${other.resource}`);
  await spending.takeBack(program, paymentId, offer.amount);
}

/** The same offer, for an address of its own each time: the wallet pays nothing twice. */
export function withProbeAddress(offer: ReadOffer): ReadOffer {
  const url = new URL(offer.resource);
  url.searchParams.set("tuppence-doctor", randomBytes(8).toString("hex"));
  return { ...offer, resource: url.href, whole: { ...offer.whole, resource: { url: url.href } } };
}

/** One claim is another, the signature as it was. */
function alter(receipt: string): string {
  const [header, payload = "", signature] = receipt.split(".");
  const claims = Buffer.from(payload, "base64url")
    .toString()
    .replace(/"amount":"(\d+)"/, '"amount":"1$1"');
  return [header, Buffer.from(claims).toString("base64url"), signature].join(".");
}

async function signByAnother(holderProof: string): Promise<string> {
  const claims = readUnverified(holderProof, HolderProofClaims);
  const key = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
  return claims ? issueHolderProof(claims, key) : "";
}
