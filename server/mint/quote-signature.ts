/** NUT-20: whoever made the quote's key signs what is to be minted for it. */
import { createHash } from "node:crypto";
import type { BlindedMessage } from "../../shared/protocol/cashu.ts";
import { verifySchnorr } from "./curve.ts";

const DOMAIN = Buffer.from("Cashu_MintQuoteSig_v1", "utf8");

/** Over the quote and its outputs, amounts included; wallets of before 2026 sign the form without them. */
export function verifyQuoteSignature(
  pubkey: string,
  quote: string,
  outputs: readonly Pick<BlindedMessage, "amount" | "B_">[],
  signature: string,
): boolean {
  return (
    verifySchnorr(signature, digest(quote, outputs), pubkey) ||
    verifySchnorr(signature, olderDigest(quote, outputs), pubkey)
  );
}

function digest(quote: string, outputs: readonly Pick<BlindedMessage, "amount" | "B_">[]): Buffer {
  const hash = createHash("sha256").update(DOMAIN);
  const update = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  update(Buffer.from(quote, "utf8"));
  for (const { amount, B_ } of outputs) {
    update(minimalBytes(amount));
    update(Buffer.from(B_, "hex"));
  }
  return hash.digest();
}

function olderDigest(quote: string, outputs: readonly Pick<BlindedMessage, "B_">[]): Buffer {
  return createHash("sha256")
    .update(quote + outputs.map(({ B_ }) => B_).join(""), "utf8")
    .digest();
}

function minimalBytes(amount: bigint): Buffer {
  if (amount === 0n) return Buffer.alloc(0);
  const hex = amount.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
}
