/**
 * How fast a merchant checks a statement against the receipts that were kept: signatures, lines, sums and the Merkle tree, as
 * `tuppence check` does it. Beside it, in the same run, the signatures of the same receipts alone, by `node:crypto`.
 */
import { createPublicKey, randomBytes, verify } from "node:crypto";
import { checkStatements } from "../merchant/cli/statement-check.ts";
import { toBase64url, toHex } from "../shared/bytes.ts";
import { signingKeyFromSeed, thumbprintOf } from "../shared/jws.ts";
import { buildTree } from "../shared/merkle.ts";
import { micros, ZERO } from "../shared/money.ts";
import { issueReceipt, type ReceiptClaims } from "../shared/receipt.ts";
import {
  feeOf,
  lineHash,
  type Settlement,
  type StatementFile,
  type StatementLine,
  settlementHash,
  settlementId,
  signStatementRoot,
} from "../shared/statement.ts";
import type { Part } from "./row.ts";

const PAYMENTS = 20_000;
const PRICE = micros(50_000);
const FEE_BASIS_POINTS = 1_000;
const MERCHANT = "the-lantern";
const ISSUER = "https://pay.example";
const BEGAN_MS = Date.UTC(2026, 10, 1);
const MILLISECONDS_PER_SECOND = 1_000;

export const statement: Part = {
  name: "statement",
  async measure() {
    const key = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
    const payments = Array.from({ length: PAYMENTS }, (_, index) => paymentOf(index));
    const receipts = await Promise.all(payments.map((claims) => issueReceipt(claims, key)));
    const file = await statementOf(payments, key);
    const jwks = { keys: [{ ...key.publicJwk, kid: await thumbprintOf(key.publicJwk) }] };

    const began = performance.now();
    const { problems, receiptsFound } = await checkStatements([file], receipts, jwks);
    const perSecond = rateSince(began);
    if (problems.length > 0 || receiptsFound !== PAYMENTS) throw new Error(`not checked: ${problems[0]}`);

    const publicKey = createPublicKey({ key: { ...key.publicJwk }, format: "jwk" });
    const signed = receipts.map((receipt) => {
      const end = receipt.lastIndexOf(".");
      return {
        text: Buffer.from(receipt.slice(0, end)),
        signature: Buffer.from(receipt.slice(end + 1), "base64url"),
      };
    });
    const bareBegan = performance.now();
    for (const { text, signature } of signed)
      if (!verify(null, text, publicKey, signature)) throw new Error("a signature that is none");
    const bare = rateSince(bareBegan);
    return [
      {
        name: "statement.check_receipts_per_s",
        value: perSecond,
        unit: "/s",
        baseline: `${PAYMENTS.toLocaleString("en-US")} receipts; their signatures alone, by node:crypto: ${Math.round(bare).toLocaleString("en-US")}`,
      },
    ];
  },
};

function rateSince(began: number): number {
  return (PAYMENTS * MILLISECONDS_PER_SECOND) / (performance.now() - began);
}

function paymentOf(index: number): ReceiptClaims {
  const holder = toBase64url(new Uint8Array(randomBytes(32)));
  return {
    iss: ISSUER,
    aud: MERCHANT,
    jti: toHex(randomBytes(16)),
    sub: holder,
    cnf: { jkt: holder },
    amount: PRICE,
    currency: "USD",
    resource: `https://lantern.example/articles/${index % 200}.html`,
    kind: "article",
    iat: BEGAN_MS / MILLISECONDS_PER_SECOND + index,
  };
}

async function statementOf(
  payments: readonly ReceiptClaims[],
  key: Parameters<typeof signStatementRoot>[1],
): Promise<StatementFile> {
  const sum = micros(PRICE * BigInt(payments.length));
  const fee = feeOf(sum, FEE_BASIS_POINTS);
  const settlement: Settlement = {
    merchant: MERCHANT,
    number: 1,
    currency: "USD",
    closedAt: BEGAN_MS + payments.length * MILLISECONDS_PER_SECOND,
    afterSequence: 0,
    upToSequence: payments.length,
    paymentCount: payments.length,
    refundCount: 0,
    payments: sum,
    refunds: ZERO,
    lateRefundCount: 0,
    lateRefunds: ZERO,
    upToLateRefund: 0,
    uncollectedCount: 0,
    uncollected: ZERO,
    upToUncollected: 0,
    feeBasisPoints: FEE_BASIS_POINTS,
    fee,
    carryForwardIn: ZERO,
    payout: micros(sum - fee),
    carryForwardOut: ZERO,
  };
  const lines = payments.map(
    ({ jti: id, sub: holder, amount, resource, kind, iat }): StatementLine => ({
      type: "payment",
      time: new Date(iat * MILLISECONDS_PER_SECOND).toISOString(),
      id,
      resource,
      kind,
      amount,
      holder,
    }),
  );
  const tree = buildTree();
  tree.add(settlementHash(settlement));
  for (const line of lines) tree.add(lineHash(settlement, line));
  const root = toHex(tree.root().root);
  const claims = {
    iss: ISSUER,
    aud: MERCHANT,
    number: 1,
    root,
    iat: Math.floor(settlement.closedAt / 1_000),
  };
  const id = settlementId(MERCHANT, 1);
  return {
    id,
    merchantName: "The Lantern",
    ...settlement,
    signedRoot: await signStatementRoot(claims, key),
    lines,
  };
}
