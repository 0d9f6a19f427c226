/** The proof that a payment is in its merchant's statement, for whoever knows the payment's id. */
import { toHex } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { inclusionProof, treeLevels } from "../../shared/merkle.ts";
import type { InclusionJson } from "../../shared/protocol/provider.ts";
import { lineHash, type Settlement, settlementHash, settlementId } from "../../shared/statement.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { latestClosing, readPayment } from "../payments/index.ts";
import { readSettlement } from "./settlement.ts";
import { readStatement } from "./statement.ts";
import { type StatementDeps, signStatement } from "./statement-root.ts";
import { timeAt } from "./sums.ts";

/** Statements whose trees are kept: each is read whole for one proof, and the next proof is often of the same one. */
const KEPT_TREES = 4;

interface StatementTree {
  readonly signedRoot: string;
  /** From the leaves to the root. */
  readonly levels: readonly (readonly Uint8Array[])[];
  /** By payment. */
  readonly places: ReadonlyMap<string, number>;
}

/** @throws TuppenceError payment_unknown, payment_not_settled */
export type ProveInclusion = (paymentId: string) => Promise<InclusionJson>;

export function createInclusionProver(deps: StatementDeps): ProveInclusion {
  const trees = new Map<string, Promise<StatementTree>>();
  let last: Promise<unknown> = Promise.resolve();

  /** One statement is read after the other, whatever strangers ask for. */
  const read = (merchant: string, number: number): Promise<StatementTree> => {
    const tree = last.then(() => readTree(deps, merchant, number));
    last = tree.catch(() => undefined);
    return tree;
  };
  const treeOf = (merchant: string, number: number): Promise<StatementTree> => {
    const id = settlementId(merchant, number);
    const tree = trees.get(id) ?? read(merchant, number);
    // Last in the order is what was used last.
    trees.delete(id);
    trees.set(id, tree);
    tree.catch(() => trees.delete(id));
    for (const oldest of trees.keys()) {
      if (trees.size <= KEPT_TREES) break;
      trees.delete(oldest);
    }
    return tree;
  };

  return async (paymentId) => {
    const paid = await readPayment(deps.ledger, paymentId);
    if (!paid) throw new TuppenceError("payment_unknown");
    const { merchant } = paid.record;
    for await (const { number } of settlementsOf(deps.ledger, merchant, paid.timestamp)) {
      const { signedRoot, levels, places } = await treeOf(merchant, number);
      const index = places.get(paymentId);
      if (index === undefined) continue;
      const proof = inclusionProof(levels, index).map(toHex);
      return { signedRoot, index, size: levels[0]?.length ?? 0, proof };
    }
    throw new TuppenceError("payment_not_settled");
  };
}

/** Those that may cover a payment of this time: one, as a rule; more where its moment is that of a settlement's last payment. */
async function* settlementsOf(
  ledger: Ledger,
  merchant: string,
  timestamp: number,
): AsyncGenerator<Settlement> {
  const last = (await latestClosing(ledger, merchant))?.number ?? 0;
  const ends = async (number: number): Promise<{ settlement: Settlement; at: number } | undefined> => {
    const settlement = await readSettlement(ledger, merchant, number);
    return settlement && { settlement, at: await timeAt(ledger, merchant, settlement.upToSequence) };
  };
  let before = 0;
  let first = last + 1;
  while (first - before > 1) {
    const middle = Math.floor((before + first) / 2);
    // Closed and not settled yet, as the last one may be: it comes after all that are.
    const end = await ends(middle);
    if (end && end.at < timestamp) before = middle;
    else first = middle;
  }
  for (let number = first; number <= last; number++) {
    const end = await ends(number);
    if (!end) return;
    yield end.settlement;
    if (end.at > timestamp) return;
  }
}

/** @throws Error if the statement is not the one whose root was committed */
async function readTree(deps: StatementDeps, merchant: string, number: number): Promise<StatementTree> {
  const statement = await readStatement(deps.ledger, { id: merchant, name: merchant }, number);
  if (!statement) throw new Error(`settlement ${settlementId(merchant, number)} is gone`);
  const { signedRoot, root } = await signStatement(deps, statement);
  const { settlement, lines } = statement;
  const leaves = [settlementHash(settlement)];
  const places = new Map<string, number>();
  for await (const line of lines()) {
    if (line.type === "payment") places.set(line.id, leaves.length);
    leaves.push(lineHash(settlement, line));
  }
  const levels = treeLevels(leaves);
  const [top] = levels.at(-1) ?? [];
  if (!top || toHex(top) !== root) throw new Error(`statement ${statement.id} is not what was signed`);
  return { signedRoot, levels, places };
}
