/** The top-ups that were asked for. Paid and charged back are the ledger's to say. */
import { type Micros, micros } from "../../shared/money.ts";
import type { TopUpResponse } from "../../shared/protocol/provider.ts";
import type { AccountDeps } from "../accounts/index.ts";
import type { Database } from "../database.ts";
import { chargedBackKey, paidKey } from "./records.ts";

export interface TopUp {
  readonly id: string;
  readonly accountId: string;
  readonly gateway: string;
  readonly amount: Micros;
  readonly createdAt: number;
  readonly state: TopUpResponse["state"];
}

type TopUpTables = {
  topups: {
    id: string;
    account_id: string;
    gateway: string;
    amount: bigint;
    created_at: bigint | number;
    ended: "declined" | "abandoned" | null;
  };
};

/** Nothing is changed where there is one with this id. */
export async function insertTopUp(database: Database, topUp: Omit<TopUp, "state">): Promise<void> {
  await database
    .$extendTables<TopUpTables>()
    .insertInto("topups")
    .values({
      id: topUp.id,
      account_id: topUp.accountId,
      gateway: topUp.gateway,
      amount: topUp.amount,
      created_at: topUp.createdAt,
      ended: null,
    })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
}

export async function findTopUp(
  { database, ledger }: Pick<AccountDeps, "database" | "ledger">,
  id: string,
): Promise<TopUp | undefined> {
  const row = await database
    .$extendTables<TopUpTables>()
    .selectFrom("topups")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirst();
  if (!row) return undefined;
  const records = await ledger.records([chargedBackKey(id), paidKey(id)]);
  const state = records.has(chargedBackKey(id))
    ? "charged_back"
    : records.has(paidKey(id))
      ? "paid"
      : (row.ended ?? "open");
  return {
    id,
    accountId: row.account_id,
    gateway: row.gateway,
    amount: micros(row.amount),
    createdAt: Number(row.created_at),
    state,
  };
}

/** Only what is open ends so; the first end stays. */
export async function endTopUp(
  database: Database,
  id: string,
  ended: "declined" | "abandoned",
): Promise<void> {
  await database
    .$extendTables<TopUpTables>()
    .updateTable("topups")
    .set({ ended })
    .where("id", "=", id)
    .where("ended", "is", null)
    .execute();
}

/**
 * An account's top-ups, newest first. Those that ended too: a gateway may approve what it also calls abandoned, and then
 * the ledger holds its money.
 */
export async function listTopUpIds(
  database: Database,
  accountId: string,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<string[]> {
  const rows = await database
    .$extendTables<TopUpTables>()
    .selectFrom("topups")
    .select("id")
    .where("account_id", "=", accountId)
    .orderBy("created_at", "desc")
    .orderBy("id")
    .limit(limit)
    .offset(offset)
    .execute();
  return rows.map(({ id }) => id);
}

export async function countTopUpsSince(
  database: Database,
  accountId: string,
  sinceMilliseconds: number,
): Promise<bigint> {
  const row = await database
    .$extendTables<TopUpTables>()
    .selectFrom("topups")
    .select((select) => select.fn.countAll().as("count"))
    .where("account_id", "=", accountId)
    .where("created_at", ">", sinceMilliseconds)
    .executeTakeFirst();
  return BigInt(row?.count ?? 0);
}
