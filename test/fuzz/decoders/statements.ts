/** What a merchant's command reads of a statement, which the provider, or whoever sent it on, may have written as they like. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import * as v from "valibot";
import { checkStatements } from "../../../merchant/cli/statement-check.ts";
import { toHex } from "../../../shared/bytes.ts";
import { signingKeyFromSeed, thumbprintOf } from "../../../shared/jws.ts";
import { buildTree } from "../../../shared/merkle.ts";
import { micros } from "../../../shared/money.ts";
import { issueReceipt } from "../../../shared/receipt.ts";
import {
  lineHash,
  type SettlementJson,
  StatementFile,
  settlementHash,
  signStatementRoot,
} from "../../../shared/statement.ts";
import { mutateJson, treeMutations } from "../mutate.ts";
import { makeTarget, type Target } from "../target.ts";
import { readJson } from "./values.ts";

const ORIGIN = "https://pay.example";
const RESOURCE = "https://lantern.example/article";
const MERCHANT = "the-lantern";
const PAID_SECONDS = 1_790_000_000;
const ID = "ab".repeat(16);

export async function statementTargets(): Promise<Target[]> {
  const key = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
  const holder = await thumbprintOf(key.publicJwk);
  const jwks = { keys: [{ ...key.publicJwk, kid: holder }] };
  const receipt = await issueReceipt(
    {
      iss: ORIGIN,
      aud: MERCHANT,
      jti: ID,
      sub: holder,
      cnf: { jkt: holder },
      amount: micros(50_000),
      currency: "USD",
      resource: RESOURCE,
      kind: "article",
      iat: PAID_SECONDS,
    },
    key,
  );
  const line = { id: ID, resource: RESOURCE, kind: "article", amount: "50000" };
  const time = new Date(PAID_SECONDS * 1_000).toISOString();
  const settlement: SettlementJson = {
    merchant: MERCHANT,
    number: 1,
    currency: "USD",
    closedAt: (PAID_SECONDS + 60) * 1_000,
    afterSequence: 0,
    upToSequence: 1,
    paymentCount: 1,
    refundCount: 1,
    feeBasisPoints: 1_000,
    payments: "50000",
    refunds: "50000",
    fee: "0",
    carryForwardIn: "0",
    payout: "0",
    carryForwardOut: "0",
  };
  const unsigned = {
    id: `${MERCHANT}-1`,
    merchantName: "The Lantern",
    ...settlement,
    signedRoot: "a.b.c",
    lines: [
      { type: "payment", time, ...line, holder },
      { type: "refund", time, ...line },
    ],
  };
  const root = rootOf(v.parse(StatementFile, unsigned));
  const claims = { iss: ORIGIN, aud: MERCHANT, number: 1, root, iat: PAID_SECONDS };
  const genuine = { ...unsigned, signedRoot: await signStatementRoot(claims, key) };
  assert.deepEqual((await checkStatements([v.parse(StatementFile, genuine)], [receipt], jwks)).problems, []);

  return [
    makeTarget(
      "command: statements",
      2,
      fc.record({ statement: treeMutations, kept: treeMutations, isSigned: fc.boolean() }),
      async ({ statement, kept, isSigned }, see) => {
        const file = v.safeParse(StatementFile, readJson(mutateJson(genuine, statement)));
        if (!file.success) return see("refused");
        const shown = readJson(mutateJson(receipt, kept));
        const receipts = typeof shown === "string" ? [shown] : [];
        const { problems } = await checkStatements([file.output], receipts, isSigned ? jwks : undefined);
        // What adds up, and is signed, is what was signed.
        if (problems.length === 0 && isSigned) assert.equal(rootOf(file.output), root);
        see(problems.length === 0 ? "adds up" : "does not add up");
      },
    ),
  ];
}

function rootOf(file: StatementFile): string {
  const tree = buildTree();
  tree.add(settlementHash(file));
  for (const line of file.lines) tree.add(lineHash(file, line));
  return toHex(tree.root().root);
}
