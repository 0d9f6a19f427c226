/** A withdraw, from the quote to the signatures, without a wallet: only whether the provider gives the coins. */
import { createHash, randomBytes } from "node:crypto";
import { schnorr, secp256k1 } from "@noble/curves/secp256k1.js";
import * as v from "valibot";
import { type ErrorCode, isErrorCode } from "../../shared/errors.ts";
import { micros, splitIntoCoins } from "../../shared/money.ts";
import { MintQuoteResponse } from "../../shared/protocol/cashu.ts";
import type { TestAccount, TestProvider } from "./provider.ts";

export async function withdraw(
  test: TestProvider,
  account: TestAccount,
  amount: bigint,
): Promise<{ status: number; code: ErrorCode | undefined; amount: bigint }> {
  const { mint } = test.provider.deps;
  const key = secp256k1.utils.randomSecretKey();
  const pubkey = Buffer.from(secp256k1.getPublicKey(key)).toString("hex");
  const { quote } = v.parse(
    MintQuoteResponse,
    (
      await account.call("POST", "/v1/mint/quote/account", {
        amount: Number(amount),
        unit: mint.unit,
        pubkey,
      })
    ).body,
  );
  const outputs = (splitIntoCoins(micros(amount)) ?? []).map((coin) => ({
    amount: Number(coin),
    id: mint.activeKeysetId(),
    B_: randomPoint(),
  }));
  const signature = Buffer.from(schnorr.sign(digestOf(quote, outputs), key)).toString("hex");
  const response = await fetch(`${test.accountsOrigin}/v1/mint/account`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ quote, outputs, signature }),
  });
  return {
    status: response.status,
    code: response.status === 200 ? undefined : codeOf(await response.json()),
    amount,
  };
}

function codeOf(body: unknown): ErrorCode | undefined {
  const { code } = v.parse(v.looseObject({ code: v.unknown() }), body);
  if (isErrorCode(code)) return code;
  return code === 20001 ? "insufficient_balance" : undefined;
}

function randomPoint(): string {
  return Buffer.from(secp256k1.getPublicKey(randomBytes(32))).toString("hex");
}

/** The message of NUT-20, written a second time from the specification. */
function digestOf(quote: string, outputs: readonly { amount: number; B_: string }[]): Buffer {
  const parts = [Buffer.from(quote, "utf8")];
  for (const { amount, B_ } of outputs) {
    const hex = amount.toString(16);
    parts.push(Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, "hex"), Buffer.from(B_, "hex"));
  }
  const withLengths = parts.flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return [length, part];
  });
  return createHash("sha256")
    .update(Buffer.concat([Buffer.from("Cashu_MintQuoteSig_v1"), ...withLengths]))
    .digest();
}
