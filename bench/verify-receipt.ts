/**
 * How fast a site recognises who has paid, beside the bare signatures by `node:crypto`. A receipt is checked with the provider's
 * keys at hand: signature, issuer, merchant, resource and amount. A returning reader's header has a second signature, by the holder.
 *
 * What is measured and what it is compared with take turns, because neither is fast while the machine is busy with something else.
 */
import { createPublicKey, type KeyObject, randomBytes, verify } from "node:crypto";
import { createReceiptVerifier } from "../merchant/server/receipts.ts";
import { toBase64url, toHex } from "../shared/bytes.ts";
import { type SigningKey, signingKeyFromSeed, thumbprintOf } from "../shared/jws.ts";
import { micros } from "../shared/money.ts";
import { issueHolderProof, issueReceipt, verifyReceipt } from "../shared/receipt.ts";
import { type Part, percentile } from "./row.ts";

const ROUNDS = 40;
const RECEIPTS_PER_ROUND = 250;
const READERS_PER_ROUND = 250;
const ISSUER = "https://pay.example";
const MERCHANT = "the-lantern";
const RESOURCE = "https://lantern.example/articles/river";
const NOW_SECONDS = 1_795_435_200;
const EXPECTED = { issuer: ISSUER, merchant: MERCHANT, resource: RESOURCE, leastAmount: micros(50_000) };

export const verifyReceipts: Part = {
  name: "verify_receipt",
  async measure() {
    const key = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
    const jwks = { keys: [{ ...key.publicJwk, kid: await thumbprintOf(key.publicJwk) }] };
    const publicKey = createPublicKey({ key: { ...key.publicJwk }, format: "jwk" });
    const { verifyReceipt: verifyReader } = createReceiptVerifier({
      provider: ISSUER,
      merchant: MERCHANT,
      fetch: async (input) => Response.json(String(input).endsWith("jwks.json") ? jwks : { revoked: [] }),
      now: () => NOW_SECONDS * 1_000,
    });
    const [bare, alone, returning]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < ROUNDS; round++) {
      const receipts = await Promise.all(
        Array.from({ length: RECEIPTS_PER_ROUND }, () => receiptFor(toBase64url(randomBytes(32)), key)),
      );
      const readers = await Promise.all(
        Array.from({ length: READERS_PER_ROUND }, () => returningReader(key)),
      );
      bare.push(await rateOf(receipts, (receipt) => isSigned(receipt, publicKey)));
      alone.push(
        await rateOf(
          receipts,
          async (receipt) => (await verifyReceipt(receipt, jwks, EXPECTED)) !== undefined,
        ),
      );
      returning.push(
        await rateOf(readers, async (header) => (await verifyReader(header, EXPECTED)) !== undefined),
      );
    }
    const ratioOf = (rates: readonly number[]) =>
      percentile(
        rates.map((rate, round) => rate / (bare[round] ?? Number.NaN)),
        0.5,
      );
    const baseline = `signatures alone, by node:crypto: ${Math.round(percentile(bare, 0.5)).toLocaleString("en-US")}`;
    return [
      { name: "verify_receipt.per_s", value: percentile(alone, 0.5), unit: "/s", baseline },
      {
        name: "verify_receipt.ratio",
        value: ratioOf(alone),
        unit: "×",
        aim: 0.4,
        baseline: `p50 of ${ROUNDS}`,
      },
      {
        name: "verify_receipt.returning_per_s",
        value: percentile(returning, 0.5),
        unit: "/s",
        baseline: "receipt and holder's proof: two signatures, one of a key never seen before",
      },
      { name: "verify_receipt.returning_ratio", value: ratioOf(returning), unit: "×" },
    ];
  },
};

function receiptFor(holder: string, key: SigningKey, jti = toHex(randomBytes(16))): Promise<string> {
  return issueReceipt(
    {
      iss: ISSUER,
      aud: MERCHANT,
      jti,
      sub: holder,
      cnf: { jkt: holder },
      amount: micros(50_000),
      currency: "USD",
      resource: RESOURCE,
      kind: "article",
      iat: NOW_SECONDS - 3_600,
    },
    key,
  );
}

/** As a browser comes back. */
async function returningReader(key: SigningKey): Promise<string> {
  const holder = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
  const jti = toHex(randomBytes(16));
  const { origin, pathname } = new URL(RESOURCE);
  const challenge = `${pathname}#${NOW_SECONDS}`;
  const proof = await issueHolderProof({ aud: origin, challenge, jti, iat: NOW_SECONDS }, holder);
  return `${await receiptFor(await thumbprintOf(holder.publicJwk), key, jti)}~${proof}`;
}

function isSigned(receipt: string, key: KeyObject): boolean {
  const end = receipt.lastIndexOf(".");
  return verify(
    null,
    Buffer.from(receipt.slice(0, end)),
    key,
    Buffer.from(receipt.slice(end + 1), "base64url"),
  );
}

/** A second, one after the other. @throws Error where one is not genuine */
async function rateOf(inputs: readonly string[], isGenuine: (input: string) => boolean | Promise<boolean>) {
  const began = performance.now();
  for (const input of inputs) if (!(await isGenuine(input))) throw new Error("one that is none");
  return (inputs.length * 1_000) / (performance.now() - began);
}
