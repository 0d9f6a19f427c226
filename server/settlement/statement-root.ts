/**
 * The root of a statement's tree (`shared/statement.ts`). It is committed when the statement is first read, under
 * `statement-root:<merchant>:<n>`, and from then on whatever would change the statement is found by the audit. It is not a
 * part of the settlement, which adds up millions of payments without reading one: the root has to read all of them.
 */
import * as v from "valibot";
import { sha256, toHex } from "../../shared/bytes.ts";
import type { SigningKey } from "../../shared/jws.ts";
import { buildTree } from "../../shared/merkle.ts";
import { hash256 } from "../../shared/protocol/fields.ts";
import { lineHash, type Settlement, settlementHash, signStatementRoot } from "../../shared/statement.ts";
import type { Mode } from "../config.ts";
import { deriveId } from "../ledger/ids.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Statement } from "./statement.ts";

export interface StatementDeps {
  readonly ledger: Ledger;
  readonly config: { readonly origin: string; readonly mode: Mode };
  readonly secrets: { readonly signingKey: SigningKey };
}

/** With its root, hexadecimal, and as the provider signs it. */
export interface SignedStatement extends Statement {
  readonly mode: Mode;
  readonly root: string;
  readonly signedRoot: string;
}

const rootKey = (merchant: string, number: number): string => `statement-root:${merchant}:${number}`;

const RootRecord = v.object({ root: hash256 });

/**
 * With the root that was committed; where none was, with that of what stands in the ledger now, which then is. Whether the
 * statement is still that one, the audit and each proof look.
 * @throws Error if a statement without a root does not add up
 */
export async function signStatement(deps: StatementDeps, statement: Statement): Promise<SignedStatement> {
  const { merchant, number } = statement.settlement;
  const root = (await readRoot(deps.ledger, merchant, number)) ?? (await commitRoot(deps.ledger, statement));
  return {
    ...statement,
    mode: deps.config.mode,
    root,
    signedRoot: await signRoot(deps, statement.settlement, root),
  };
}

function signRoot(
  { config, secrets }: Pick<StatementDeps, "config" | "secrets">,
  { merchant, number, closedAt }: Settlement,
  root: string,
): Promise<string> {
  const claims = { iss: config.origin, aud: merchant, number, root, iat: Math.floor(closedAt / 1_000) };
  return signStatementRoot(claims, secrets.signingKey);
}

/** Hexadecimal. Undefined before anybody read the statement. */
export async function readRoot(
  ledger: Ledger,
  merchant: string,
  number: number,
): Promise<string | undefined> {
  const value = await ledger.record(rootKey(merchant, number));
  return value === undefined ? undefined : v.parse(RootRecord, JSON.parse(value)).root;
}

export async function computeRoot(statement: Statement): Promise<string> {
  const tree = buildTree();
  for await (const hash of statementHashes(statement)) tree.add(hash);
  return toHex(tree.root().root);
}

async function* statementHashes({ settlement, lines }: Statement): AsyncGenerator<Uint8Array> {
  yield settlementHash(settlement);
  for await (const line of lines()) yield lineHash(settlement, line);
}

async function commitRoot(ledger: Ledger, statement: Statement): Promise<string> {
  const { merchant, number } = statement.settlement;
  const root = await computeRoot(statement);
  const value = JSON.stringify({ root } satisfies v.InferInput<typeof RootRecord>);
  const { status } = await ledger.apply({
    id: deriveId("statement root", merchant, String(number)),
    fingerprint: toHex(await sha256(value)),
    transfers: [],
    records: [{ key: rootKey(merchant, number), value }],
  });
  // Another process may have read the same statement at the same time: nothing in it can have changed meanwhile.
  if (status !== "committed" && status !== "exists")
    throw new Error(`${rootKey(merchant, number)}: another root was committed for the same statement`);
  return root;
}
