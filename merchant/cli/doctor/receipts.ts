/** Receipts that must not open what they were not given for. Each goes to the site alone, as a browser sends it. */
import { randomBytes } from "node:crypto";
import { readUnverified, signingKeyFromSeed } from "../../../shared/jws.ts";
import { HOLDER_PROOF_SECONDS, HolderProofClaims, issueHolderProof } from "../../../shared/receipt.ts";
import { type ProgramWallet, type ReadOffer, readOfferHeader } from "../../../wallet/node/index.ts";
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
  const other = await findOtherAddress(probe);
  if (other)
    await refuses(
      "receipt-other-article",
      other.src,
      `${receipt}~${holderProof}`,
      `the receipt of ${offer.resource}`,
    );
  else payer.leaveOut("whether the receipt opens another article: no other paid address was found");
  return true;
}

/** An address of the same back end that is another article to it: it offers itself. */
export async function findOtherAddress({
  src,
  offer,
  payer,
}: Probe): Promise<{ src: string; offer: ReadOffer } | undefined> {
  const url = new URL(src);
  url.searchParams.set("tuppence-doctor", randomBytes(8).toString("hex"));
  const answer = await tryGet(payer, url.href, { accept: "*/*" });
  const other = answer?.status === 402 ? readOfferHeader(answer.headers.get("PAYMENT-REQUIRED")) : undefined;
  return other && other.resource !== offer.resource ? { src: url.href, offer: other } : undefined;
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
