/**
 * The ledger on PostgreSQL 15 or newer, for as many processes at once as there are.
 *
 * A batch is two statements: one reads what the verdicts need, in one snapshot and without a lock; one commits what was
 * judged (`ledger_commit`, `migrations/postgres/`), on the condition that it still stands, in a transaction that exists
 * only inside the server, so that no process can fall asleep over a lock. READ COMMITTED is enough, because each thing
 * that a verdict stands on is checked again under a lock of its own while committing:
 *
 * - That a group, a transfer (a coin) or a record does not exist: by its unique key. Who inserts the same key at the same
 *   time waits, fails, and judges again. What does exist stays, because nothing is ever deleted.
 * - Balances: the commit locks the rows and checks the bounds within which every verdict stands (`Movement`).
 * - That a guarded record is absent: by an advisory lock on its key's bucket, shared by guards, held alone by its writer.
 *
 * All locks are taken in one order (record keys, lane 0 of accounts, other lanes, new keys sorted), so nobody waits in a
 * circle.
 *
 * Busy accounts (float, clearing, merchants) have a row for each process (its lane) and a balance that is their sum. A
 * row alone may say yes, because no row is below zero unless the judge saw it and asked for all of them: what one row
 * covers, the sum covers. Where it does not, the commit locks all rows of the account, judges by the sum, and shares it
 * out anew. So a popular merchant's payments and all coins' float are exact, and nobody queues for them.
 *
 * The order of transfers has no holes that fill up later: `transfers` reads no further than to where every commit that
 * had taken a number has ended.
 */
import postgres from "postgres";
import { TuppenceError } from "../../shared/errors.ts";
import { add, type Micros, micros, ZERO } from "../../shared/money.ts";
import { isSpread } from "./accounts.ts";
import { auditBooks, MAX_STRAYS } from "./audit.ts";
import { createBatches } from "./batches.ts";
import { mayBeGuarded } from "./guarded.ts";
import { type JudgedBatch, judgeBatch, type Movement, outcomeOf, type StoredGroup } from "./judge.ts";
import type {
  AccountName,
  Group,
  GroupOutcome,
  Ledger,
  LedgerAudit,
  PostedGroup,
  PostedTransfer,
  SumQuery,
  TransferId,
  TransferQuery,
  TransferSum,
} from "./ledger.ts";
import { assertLimit, assertSumLimit } from "./limits.ts";
import { OUTPUT_RECORD_PREFIX } from "./outputs.ts";
import {
  books,
  integer,
  postedGroup,
  postedTransfer,
  type Row,
  recordKeys,
  text,
  transferSum,
} from "./rows.ts";

export interface PostgresLedgerOptions {
  /** `postgres://…`. Its tables are there already: `server/database.ts` brings them up to date. */
  readonly url: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** One commits, the others answer questions. */
const MAX_CONNECTIONS = 4;
/** A server that does not answer any more is not waited for. */
const CLOSE_SECONDS = 5;
const MAX_CACHED_ACCOUNTS = 100_000;
/** About five seconds: as long as another database server takes over, or the same one starts again. */
const MAX_TRIES = 30;
/** From then on half as many groups at each further try. */
const TRIES_AS_A_WHOLE = 5;
const LONGEST_PAUSE_MILLISECONDS = 250;
/** Much longer than a batch takes. Should it be committed yet, the next try is a replay. */
const ANSWER_MILLISECONDS = 5_000;
/** Two keys in one bucket wait for each other now and then, no more. */
const GUARD_BUCKETS = 256;

/** How a list of one of these is written: `smallint[]`, `integer[]`, `text[]`, `bigint[]`, `uuid[]`. */
const LISTS = {
  smallints: list(1005),
  integers: list(1007),
  texts: list(1009),
  bigints: list(1016),
  uuids: list(2951),
};

/** @param oid of the type of list, in PostgreSQL's catalog */
function list(oid: number) {
  return {
    to: oid,
    from: [],
    serialize: (values: readonly unknown[]): string =>
      `{${values.map((value) => (value === null ? "null" : `"${String(value).replace(/["\\]/g, "\\$&")}"`)).join(",")}}`,
    parse: (text: string): string => text,
  };
}

type Sql = postgres.Sql<{ bigint: bigint } & Record<keyof typeof LISTS, never>>;

export function openPostgresLedger({ url, now }: PostgresLedgerOptions): Ledger {
  const sql: Sql = postgres(url, {
    max: MAX_CONNECTIONS,
    types: { bigint: postgres.BigInt, ...LISTS },
    // It would ask at each connection how lists are written, and a connection that ends while it asks ends the process.
    fetch_types: false,
    onnotice: () => {},
    // Every question has an index. A plan that was made while a table was empty must not read the table for ever.
    connection: { application_name: "tuppence ledger", enable_seqscan: "off", jit: "off" },
  });
  const accounts = openAccounts(sql);
  const batches = createBatches((groups) => commitBatch(sql, accounts, groups, now));
  const horizon = createHorizon(sql);

  return {
    apply: batches.apply,
    async balance(account) {
      const [row] = await sql<Row[]>`
        SELECT coalesce(sum(b.credits - b.debits), 0)::bigint AS balance
        FROM ledger_accounts a JOIN ledger_balances b ON b.account = a.number WHERE a.name = ${account}`;
      return micros(integer(row, "balance"));
    },
    async balances(prefix) {
      const rows = await sql<Row[]>`
        SELECT a.name, sum(b.credits - b.debits)::bigint AS balance
        FROM ledger_accounts a JOIN ledger_balances b ON b.account = a.number
        WHERE a.name >= ${prefix} AND a.name < ${`${prefix}\u{10FFFF}`}
        GROUP BY a.name HAVING sum(b.credits + b.debits) > 0 ORDER BY a.name`;
      return new Map(rows.map((row) => [text(row, "name"), micros(integer(row, "balance"))]));
    },
    record: async (key) => (await readRecords(sql, [key])).get(key),
    records: (keys) => readRecords(sql, keys),
    group: async (id) => (await findGroups(sql, [id])).get(id),
    groups: (ids) => findGroups(sql, ids),
    async existing(ids) {
      const rows = await sql<Row[]>`
        SELECT replace(id::text, '-', '') AS id FROM ledger_transfers WHERE id = ANY (${[...ids]}::uuid[])`;
      return new Set(rows.map((row) => text(row, "id")));
    },
    transfers: (query) => queryTransfers(sql, horizon, query),
    sum: (query) => sumTransfers(sql, horizon, query),
    audit: () => audit(sql),
    async close() {
      await batches.close();
      await sql.end({ timeout: CLOSE_SECONDS });
    },
  };
}

/** All of the groups, or their first ones where others are quicker too often: fewer stand on less, and take less time. */
async function commitBatch(
  sql: Sql,
  accounts: Accounts,
  groups: readonly Group[],
  now: () => number,
): Promise<GroupOutcome[]> {
  let size = groups.length;
  for (let tries = 1; ; tries++) {
    try {
      return await inTime(tryBatch(sql, accounts, groups.slice(0, size), Math.floor(now())));
    } catch (error) {
      const wasOvertaken = hasCode(error, OVERTAKEN);
      // Tried again, a batch that was committed after all answers as a replay does.
      if (!wasOvertaken && !hasCode(error, BROKEN)) throw error;
      // Overtaken, nothing was changed, and we can say so. Where a connection broke, nobody knows.
      if (tries === MAX_TRIES) throw wasOvertaken ? new TuppenceError("overloaded", {}, error) : error;
      if (wasOvertaken && tries >= TRIES_AS_A_WHOLE) size = Math.ceil(size / 2);
      const pause = Math.min(tries * tries, LONGEST_PAUSE_MILLISECONDS) * Math.random();
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** A statement that was asked for in the moment in which a connection ended may never be answered. */
async function inTime<T>(tried: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = () => reject(Object.assign(new Error("PostgreSQL does not answer"), { code: "ETIMEDOUT" }));
  const timer = setTimeout(late, ANSWER_MILLISECONDS);
  try {
    return await Promise.race([tried, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Somebody else was first. */
const OVERTAKEN = new Set([
  "TU001", // what was judged no longer stands
  "23505", // unique_violation
  "40P01", // deadlock_detected
]);

/** The connection broke, or there is none. */
const BROKEN = new Set([
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
]);

function hasCode(error: unknown, codes: ReadonlySet<string>): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && codes.has(error.code);
}

async function tryBatch(
  sql: Sql,
  accounts: Accounts,
  groups: readonly Group[],
  nowMilliseconds: number,
): Promise<GroupOutcome[]> {
  const opened = await accounts.open(accountsOf(groups));
  const stored = await readStored(sql, groups, opened);
  const judged = judgeBatch(
    {
      group: (id) => stored.groups.get(id),
      transferExists: (id) => stored.transfers.has(id),
      recordExists: (key) => stored.records.has(key),
      balance: (account) => stored.balances.get(account)?.total ?? ZERO,
    },
    groups,
  );
  const timestamp =
    judged.committed.length === 0 ? 0 : await write(sql, opened, stored.balances, judged, nowMilliseconds);
  return judged.verdicts.map((verdict) => outcomeOf(verdict, timestamp));
}

function accountsOf(groups: readonly Group[]): Set<AccountName> {
  const names = new Set<AccountName>();
  for (const { transfers, guards = [] } of groups) {
    for (const { debit, credit } of transfers) names.add(debit).add(credit);
    for (const guard of guards) {
      if ("account" in guard) names.add(guard.account);
      if ("against" in guard) names.add(guard.against);
    }
  }
  return names;
}

interface OpenAccounts {
  /** By name; at least all that were asked for. */
  readonly numbers: ReadonlyMap<AccountName, number>;
  readonly laneOf: (account: AccountName) => number;
}

interface Accounts {
  open(names: ReadonlySet<AccountName>): Promise<OpenAccounts>;
}

/** Remembers numbers, which never change. Accounts that a batch names have their rows from then on, used or not. */
function openAccounts(sql: Sql): Accounts {
  const numbers = new Map<AccountName, number>();
  let lane: number | undefined;

  return {
    async open(names) {
      lane ??= Number(integer((await sql<Row[]>`SELECT nextval('ledger_lanes') AS lane`)[0], "lane"));
      const own = lane;
      const laneOf = (account: AccountName) => (isSpread(account) ? own : 0);
      if (numbers.size > MAX_CACHED_ACCOUNTS) numbers.clear();
      const missing = [...names].filter((name) => !numbers.has(name)).sort();
      if (missing.length > 0) {
        const rows = await sql<Row[]>`
          SELECT name, number::bigint FROM ledger_open_accounts(
            ${missing}::text[], ${missing.map((name) => `${laneOf(name)}`)}::smallint[])`;
        for (const row of rows) numbers.set(text(row, "name"), Number(integer(row, "number")));
      }
      return { numbers, laneOf };
    },
  };
}

interface StoredBalance {
  readonly total: Micros;
  /** Of this process's own row. */
  readonly own: Micros;
  readonly isAnyRowNegative: boolean;
}

interface Stored {
  readonly groups: ReadonlyMap<TransferId, StoredGroup>;
  readonly transfers: ReadonlySet<TransferId>;
  readonly records: ReadonlySet<string>;
  readonly balances: ReadonlyMap<AccountName, StoredBalance>;
}

/** All in one statement, so that a group that is committed meanwhile is seen whole or not at all. */
async function readStored(
  sql: Sql,
  batch: readonly Group[],
  { numbers, laneOf }: OpenAccounts,
): Promise<Stored> {
  const names = accountsOf(batch);
  const keys = new Set<string>();
  for (const { records, guards = [] } of batch) {
    for (const { key } of records) keys.add(key);
    for (const guard of guards) if ("key" in guard) keys.add(guard.key);
  }
  const transferIds = batch.flatMap(({ transfers }) => transfers.map(({ id }) => id));
  const nameOf = new Map([...names].map((name) => [numberIn(numbers, name), name]));
  const rows = await sql<Row[]>`
    SELECT 'balance' AS kind, NULL AS key, account::bigint AS a, lane::bigint AS b, credits - debits AS c
      FROM ledger_balances WHERE account = ANY (${[...nameOf.keys()].map(String)}::integer[])
    UNION ALL SELECT 'transfer', replace(id::text, '-', ''), NULL, NULL, NULL
      FROM ledger_transfers WHERE id = ANY (${transferIds}::uuid[])
    UNION ALL SELECT 'record', key, NULL, NULL, NULL
      FROM ledger_records WHERE key = ANY (${[...keys]}::text[])
    UNION ALL SELECT 'group', replace(id::text, '-', ''), NULL, NULL, NULL
      FROM ledger_groups WHERE id = ANY (${batch.map(({ id }) => id)}::uuid[])`;

  const transfers = new Set<TransferId>();
  const records = new Set<string>();
  const balances = new Map<AccountName, StoredBalance>();
  const groups: TransferId[] = [];
  for (const row of rows) {
    const kind = text(row, "kind");
    if (kind === "transfer") transfers.add(text(row, "key"));
    else if (kind === "record") records.add(text(row, "key"));
    else if (kind === "group") groups.push(text(row, "key"));
    else {
      const account = nameOf.get(Number(integer(row, "a"))) ?? "";
      const balance = micros(integer(row, "c"));
      const known = balances.get(account);
      balances.set(account, {
        total: add(known?.total ?? ZERO, balance),
        own: Number(integer(row, "b")) === laneOf(account) ? balance : (known?.own ?? ZERO),
        isAnyRowNegative: balance < ZERO || known?.isAnyRowNegative === true,
      });
    }
  }
  return { transfers, records, balances, groups: await readGroups(sql, groups) };
}

/** Replays are rare, and what they are answered with does not change. */
async function readGroups(sql: Sql, ids: readonly TransferId[]): Promise<Map<TransferId, StoredGroup>> {
  if (ids.length === 0) return new Map();
  const keysOf = new Map<TransferId, readonly string[]>();
  const stored = await sql<Row[]>`
    SELECT replace(id::text, '-', '') AS id, fingerprint, timestamp, memo, records FROM ledger_groups
    WHERE id = ANY (${ids}::uuid[])`;
  for (const row of stored) keysOf.set(text(row, "id"), recordKeys(text(row, "records")));
  const values = await readRecords(sql, [...keysOf.values()].flat());
  return new Map(
    stored.map((row) => {
      const records = (keysOf.get(text(row, "id")) ?? []).map((key) => {
        const value = values.get(key);
        if (value === undefined) throw new Error(`a group was committed without its record ${key}`);
        return { key, value };
      });
      return [text(row, "id"), { ...postedGroup(row), records }];
    }),
  );
}

async function write(
  sql: Sql,
  { numbers, laneOf }: OpenAccounts,
  balances: ReadonlyMap<AccountName, StoredBalance>,
  { committed, movements }: JudgedBatch,
  nowMilliseconds: number,
): Promise<number> {
  const accounts = [...movements]
    .map(([name, movement]) => ({ ...movement, name, number: numberIn(numbers, name), lane: laneOf(name) }))
    .sort((a, b) => a.number - b.number);
  const groups = committed.toSorted((a, b) => compare(a.id, b.id));
  const transfers = committed
    .flatMap((group) => group.transfers.map((transfer) => ({ ...transfer, groupId: group.id })))
    .map((transfer, place) => ({ ...transfer, place }))
    .sort((a, b) => compare(a.id, b.id));
  const records = committed.flatMap((group) => group.records).sort((a, b) => compare(a.key, b.key));
  const absent = committed.flatMap(({ guards = [] }) =>
    guards.flatMap((guard) => (guard.kind === "absent" ? [guard.key] : [])),
  );
  const written = records.filter(({ key }) => mayBeGuarded(key)).map(({ key }) => key);
  const [row] = await sql<Row[]>`
    SELECT ledger_commit(
      ${nowMilliseconds}::bigint,
      ${absent}::text[], ${absent.map(bucketOf)}::integer[], ${written.map(bucketOf)}::integer[],
      ${accounts.map(({ number }) => `${number}`)}::integer[],
      ${accounts.map(({ lane }) => `${lane}`)}::smallint[],
      ${accounts.map(({ name, ...movement }) => `${isJudgedWhole(name, movement, balances.get(name))}`)}::text[]::boolean[],
      ${accounts.map(({ debits }) => `${debits}`)}::bigint[],
      ${accounts.map(({ credits }) => `${credits}`)}::bigint[],
      ${accounts.map(({ least }) => orNull(least))}::bigint[],
      ${accounts.map(({ most }) => orNull(most))}::bigint[],
      ${groups.map(({ id }) => id)}::uuid[],
      ${groups.map(({ fingerprint }) => fingerprint)}::text[],
      ${groups.map(({ memo }) => memo ?? null)}::text[],
      ${groups.map((group) => JSON.stringify(group.records.map(({ key }) => key)))}::text[],
      ${transfers.map(({ id }) => id)}::uuid[],
      ${transfers.map(({ place }) => `${place}`)}::integer[],
      ${transfers.map(({ groupId }) => groupId)}::uuid[],
      ${transfers.map(({ debit }) => `${numberIn(numbers, debit)}`)}::integer[],
      ${transfers.map(({ credit }) => `${numberIn(numbers, credit)}`)}::integer[],
      ${transfers.map(({ amount }) => `${amount}`)}::bigint[],
      ${transfers.map(({ code }) => code)}::text[],
      ${transfers.map(({ reference }) => reference)}::text[],
      ${transfers.map(({ maturesAfterSeconds = 0 }) => `${maturesAfterSeconds * 1_000}`)}::bigint[],
      ${records.map(({ key }) => key)}::text[],
      ${records.map(({ value }) => value)}::text[]
    ) AS timestamp`;
  return Number(integer(row, "timestamp"));
}

/** Whether the verdicts about an account stand on all of its rows, not on this process's alone. */
function isJudgedWhole(
  account: AccountName,
  { least, most, isChargedBack }: Omit<Movement, "debits" | "credits">,
  stored: StoredBalance | undefined,
): boolean {
  if (!isSpread(account)) return false;
  if (most !== undefined || isChargedBack) return true;
  return least !== undefined && (stored === undefined || stored.isAnyRowNegative || stored.own < least);
}

/** The same order in every process, which is all that it is for. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function bucketOf(key: string): string {
  let hash = 0;
  for (let index = 0; index < key.length; index++) hash = (hash * 31 + key.charCodeAt(index)) % 2_147_483_647;
  return `${hash % GUARD_BUCKETS}`;
}

function orNull(value: bigint | undefined): string | null {
  return value === undefined ? null : `${value}`;
}

function numberIn(numbers: ReadonlyMap<AccountName, number>, account: AccountName): number {
  const number = numbers.get(account);
  if (number === undefined) throw new Error(`the ledger's account ${account} was not opened`);
  return number;
}

async function findGroups(sql: Sql, ids: readonly TransferId[]): Promise<Map<TransferId, PostedGroup>> {
  const rows = await sql<Row[]>`
    SELECT replace(id::text, '-', '') AS id, fingerprint, timestamp, memo FROM ledger_groups
    WHERE id = ANY (${[...new Set(ids)]}::uuid[])`;
  return new Map(rows.map((row) => [text(row, "id"), postedGroup(row)]));
}

async function readRecords(sql: Sql, keys: readonly string[]): Promise<Map<string, string>> {
  const rows = await sql<Row[]>`
    SELECT key, value FROM ledger_records WHERE key = ANY (${[...new Set(keys)]}::text[])`;
  return new Map(rows.map((row) => [text(row, "key"), text(row, "value")]));
}

/** Waits for the commits that are under way, once for all who ask at the same time. */
function createHorizon(sql: Sql): (upToSequence: number | undefined) => Promise<number> {
  let known = -1;
  let asked: Promise<number> | undefined;

  async function ask(): Promise<number> {
    const [row] = await sql<Row[]>`SELECT ledger_horizon() AS horizon`;
    known = Number(integer(row, "horizon"));
    return known;
  }

  return async (upToSequence) => {
    if (upToSequence !== undefined && upToSequence <= known) return upToSequence;
    // One that was asked for before may be from before what the caller has seen committed.
    await asked?.catch(() => {});
    asked ??= ask().finally(() => {
      asked = undefined;
    });
    return asked;
  };
}

type Horizon = ReturnType<typeof createHorizon>;

/** @param complete up to where the order of transfers is */
function filterOf(sql: Sql, complete: number, query: Omit<TransferQuery, "limit">) {
  const side = query.side === "debit" ? sql`t.debit` : sql`t.credit`;
  const codes = query.codes ?? [];
  return sql`${side} = (SELECT number FROM ledger_accounts WHERE name = ${query.account})
      AND t.sequence > ${query.afterSequence ?? 0}
      AND t.sequence <= ${Math.min(complete, query.upToSequence ?? complete)}
      ${codes.length === 0 ? sql`` : sql`AND t.code = ANY (${[...codes]}::text[])`}`;
}

async function queryTransfers(sql: Sql, horizon: Horizon, query: TransferQuery): Promise<PostedTransfer[]> {
  assertLimit(query);
  const complete = await horizon(query.upToSequence);
  const rows = await sql<Row[]>`
    SELECT t.sequence, replace(t.id::text, '-', '') AS id, replace(t.group_id::text, '-', '') AS group_id,
      d.name AS debit, c.name AS credit, t.amount, t.code, t.reference, t.timestamp, t.matures_at
    FROM ledger_transfers t
      JOIN ledger_accounts d ON d.number = t.debit JOIN ledger_accounts c ON c.number = t.credit
    WHERE ${filterOf(sql, complete, query)}
    ORDER BY t.sequence ${query.order === "newest_first" ? sql`DESC` : sql``} LIMIT ${query.limit}`;
  return rows.map(postedTransfer);
}

/** Everything that it reads of a credit stands in the index over credits. */
async function sumTransfers(sql: Sql, horizon: Horizon, query: SumQuery): Promise<TransferSum> {
  assertSumLimit(query);
  const complete = await horizon(query.upToSequence);
  const [row] = await sql<Row[]>`
    WITH page AS MATERIALIZED (
      SELECT t.sequence, t.group_id, t.amount, t.matures_at FROM ledger_transfers t
      WHERE ${filterOf(sql, complete, query)} ORDER BY t.sequence LIMIT ${query.limit}
    ), held AS (
      SELECT group_id FROM page WHERE matures_at > ${query.maturedBy ?? Number.MAX_SAFE_INTEGER} ORDER BY sequence LIMIT 1
    ), last AS (
      SELECT group_id FROM page WHERE (SELECT count(*) FROM page) >= ${query.limit} ORDER BY sequence DESC LIMIT 1
    ), counted AS (
      SELECT * FROM page WHERE sequence < coalesce(
        (SELECT min(sequence) FROM page
          WHERE group_id = coalesce((SELECT group_id FROM held), (SELECT group_id FROM last))),
        ${Number.MAX_SAFE_INTEGER})
    )
    SELECT count(DISTINCT group_id) AS groups, coalesce(sum(amount), 0)::bigint AS amount,
      max(sequence) AS last_sequence, (SELECT count(*) FROM page) AS seen, (SELECT count(*) FROM held) AS is_held
    FROM counted`;
  return transferSum(row, integer(row, "is_held") > 0n || integer(row, "seen") < BigInt(query.limit));
}

/** In one snapshot, so that a batch that commits meanwhile is seen whole or not at all. */
function audit(sql: Sql): Promise<LedgerAudit> {
  return sql.begin("isolation level repeatable read read only", async (snapshot) => {
    await snapshot`SET LOCAL enable_seqscan = on`;
    const accounts = await snapshot<Row[]>`
      SELECT a.name, b.debits, b.credits, coalesce(d.amount, 0)::bigint AS debited,
        coalesce(c.amount, 0)::bigint AS credited, coalesce(d.chargebacks, 0) AS chargebacks
      FROM ledger_accounts a
        JOIN (SELECT account, sum(debits)::bigint AS debits, sum(credits)::bigint AS credits
          FROM ledger_balances GROUP BY account) b ON b.account = a.number
        LEFT JOIN (SELECT debit, sum(amount) AS amount, count(*) FILTER (WHERE code = 'chargeback') AS chargebacks
          FROM ledger_transfers GROUP BY debit) d ON d.debit = a.number
        LEFT JOIN (SELECT credit, sum(amount) AS amount FROM ledger_transfers GROUP BY credit) c ON c.credit = a.number
      WHERE b.debits <> 0 OR b.credits <> 0 OR d.amount IS NOT NULL OR c.amount IS NOT NULL ORDER BY a.name`;
    const issued = await snapshot<Row[]>`
      SELECT value::jsonb ->> 'keysetId' AS keyset, sum((value::jsonb ->> 'amount')::bigint)::bigint AS issued
      FROM ledger_records WHERE key >= ${OUTPUT_RECORD_PREFIX} AND key < ${`${OUTPUT_RECORD_PREFIX}\u{10FFFF}`}
      GROUP BY 1`;
    const strays = await snapshot<Row[]>`
      SELECT replace(t.id::text, '-', '') AS id FROM ledger_transfers t LEFT JOIN ledger_groups g ON g.id = t.group_id
      WHERE g.id IS NULL OR g.timestamp <> t.timestamp LIMIT ${MAX_STRAYS}`;
    const [count] = await snapshot<Row[]>`SELECT count(*) AS transfers FROM ledger_transfers`;
    return auditBooks(books({ accounts, issued, strays, count }));
  });
}
