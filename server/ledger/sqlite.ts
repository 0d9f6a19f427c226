/**
 * The ledger on SQLite (`node:sqlite`): WAL, `synchronous=FULL`, so what was answered survives the power cut.
 *
 * Calls queue up; at the next turn of the event loop, without a timer, all that are waiting become one transaction
 * (`BEGIN IMMEDIATE`: a second process may write to the same file). Each group is judged against the database plus an
 * overlay of what the groups before it in the batch did; a rejected group never enters the overlay, so it cannot
 * disturb its neighbours. Then everything is written at once: a popular account is one row update a batch.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { TuppenceError } from "../../shared/errors.ts";
import { type Micros, micros, ZERO } from "../../shared/money.ts";
import { mustNotGoBelowZero } from "./accounts.ts";
import type {
  AccountName,
  Group,
  GroupOutcome,
  Guard,
  Ledger,
  LedgerAudit,
  LedgerRecord,
  PostedTransfer,
  Rejection,
  TransferCode,
  TransferId,
  TransferQuery,
} from "./ledger.ts";
import { OUTPUT_RECORD_PREFIX } from "./outputs.ts";

export interface SqliteLedgerOptions {
  /** A file's path. */
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Groups in one transaction: bounds how long one commit keeps the event loop. */
const MAX_BATCH_GROUPS = 1_000;
/** Groups that may wait. More are refused as `overloaded`: an answer now is worth more than a place at the end. */
const MAX_WAITING_GROUPS = 20_000;
const MAX_TRANSFERS_PER_GROUP = 1_000;
const MAX_QUERY_LIMIT = 10_000;
const BUSY_TIMEOUT_MILLISECONDS = 5_000;

export function openSqliteLedger({ path, now }: SqliteLedgerOptions): Ledger {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MILLISECONDS}`);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  database.exec(SCHEMA);
  const statements = prepareStatements(database);

  let waiting: Waiting[] = [];
  let scheduled = false;
  let closed = false;

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  }

  function flush(): void {
    scheduled = false;
    const batch = waiting.slice(0, MAX_BATCH_GROUPS);
    waiting = waiting.slice(MAX_BATCH_GROUPS);
    if (waiting.length > 0) schedule();
    if (batch.length === 0) return;
    let outcomes: GroupOutcome[];
    try {
      outcomes = commitBatch(
        database,
        statements,
        batch.map((entry) => entry.group),
        now(),
      );
    } catch (error) {
      for (const entry of batch) entry.reject(error);
      return;
    }
    batch.forEach((entry, index) => {
      const outcome = outcomes[index];
      if (outcome === undefined) throw new Error("every group of a batch has an outcome");
      entry.resolve(outcome);
    });
  }

  return {
    apply(group) {
      return new Promise<GroupOutcome>((resolve, reject) => {
        if (closed) throw new Error("the ledger is closed");
        assertWellFormed(group);
        if (waiting.length >= MAX_WAITING_GROUPS) throw new TuppenceError("overloaded");
        waiting.push({ group, resolve, reject });
        schedule();
      });
    },
    balance: async (account) => readBalance(statements, account),
    async balances(prefix) {
      const rows = statements.balances.all(prefix, `${prefix}\u{10FFFF}`);
      return new Map(
        rows.map((row) => [text(row, "name"), micros(integer(row, "credits") - integer(row, "debits"))]),
      );
    },
    record: async (key) => optionalText(statements.record.get(key), "value"),
    async records(keys) {
      const found = new Map<string, string>();
      for (const key of keys) {
        const value = optionalText(statements.record.get(key), "value");
        if (value !== undefined) found.set(key, value);
      }
      return found;
    },
    async group(id) {
      const row = statements.group.get(id);
      return row === undefined
        ? undefined
        : { fingerprint: text(row, "fingerprint"), timestamp: Number(integer(row, "timestamp")) };
    },
    existing: async (ids) => new Set(ids.filter((id) => statements.transferExists.get(id) !== undefined)),
    transfers: async (query) => queryTransfers(database, query),
    audit: async () => audit(database),
    async close() {
      if (closed) return;
      closed = true;
      while (waiting.length > 0) flush();
      database.close();
    },
  };
}

interface Waiting {
  readonly group: Group;
  readonly resolve: (outcome: GroupOutcome) => void;
  readonly reject: (error: unknown) => void;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS ledger_clock (only INTEGER PRIMARY KEY CHECK (only = 1), timestamp INTEGER NOT NULL) STRICT;
INSERT OR IGNORE INTO ledger_clock (only, timestamp) VALUES (1, 0);
CREATE TABLE IF NOT EXISTS ledger_accounts (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  debits INTEGER NOT NULL,
  credits INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS ledger_groups (id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, timestamp INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger_transfers (
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  group_id TEXT NOT NULL,
  debit INTEGER NOT NULL,
  credit INTEGER NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  code TEXT NOT NULL,
  reference TEXT NOT NULL,
  timestamp INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS ledger_transfers_debit ON ledger_transfers (debit, sequence);
CREATE INDEX IF NOT EXISTS ledger_transfers_credit ON ledger_transfers (credit, sequence);
CREATE TABLE IF NOT EXISTS ledger_records (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  group_id TEXT NOT NULL,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ledger_records_group ON ledger_records (group_id, position);
CREATE TRIGGER IF NOT EXISTS ledger_transfers_are_final BEFORE UPDATE ON ledger_transfers BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
CREATE TRIGGER IF NOT EXISTS ledger_transfers_stay BEFORE DELETE ON ledger_transfers BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
`;

type Statements = ReturnType<typeof prepareStatements>;

function prepareStatements(database: DatabaseSync) {
  /** 64-bit integers come back as bigint everywhere: an amount is never a Number. */
  const prepare = (sql: string): StatementSync => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement;
  };
  return {
    clock: prepare("SELECT timestamp FROM ledger_clock"),
    setClock: prepare("UPDATE ledger_clock SET timestamp = ?"),
    account: prepare("SELECT number, debits, credits FROM ledger_accounts WHERE name = ?"),
    balances: prepare(
      "SELECT name, debits, credits FROM ledger_accounts WHERE name >= ? AND name < ? ORDER BY name",
    ),
    insertAccount: prepare(
      "INSERT INTO ledger_accounts (name, debits, credits) VALUES (?, 0, 0) RETURNING number",
    ),
    addToAccount: prepare(
      "UPDATE ledger_accounts SET debits = debits + ?, credits = credits + ? WHERE number = ?",
    ),
    group: prepare("SELECT fingerprint, timestamp FROM ledger_groups WHERE id = ?"),
    insertGroup: prepare("INSERT INTO ledger_groups (id, fingerprint, timestamp) VALUES (?, ?, ?)"),
    groupRecords: prepare("SELECT key, value FROM ledger_records WHERE group_id = ? ORDER BY position"),
    transferExists: prepare("SELECT 1 AS found FROM ledger_transfers WHERE id = ?"),
    insertTransfer: prepare(
      "INSERT INTO ledger_transfers (id, group_id, debit, credit, amount, code, reference, timestamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    record: prepare("SELECT value FROM ledger_records WHERE key = ?"),
    insertRecord: prepare("INSERT INTO ledger_records (key, value, group_id, position) VALUES (?, ?, ?, ?)"),
  };
}

/** What the groups of this batch that were judged good have done so far. */
interface Overlay {
  readonly committed: Map<TransferId, Group>;
  readonly transferIds: Set<TransferId>;
  readonly records: Set<string>;
  /** Balances as they stand with the batch so far; read from the database when first asked for. */
  readonly balances: Map<AccountName, bigint>;
}

function commitBatch(
  database: DatabaseSync,
  statements: Statements,
  groups: readonly Group[],
  nowMilliseconds: number,
): GroupOutcome[] {
  database.exec("BEGIN IMMEDIATE");
  try {
    const last = Number(integer(statements.clock.get(), "timestamp"));
    const timestamp = Math.max(last, Math.floor(nowMilliseconds));
    const overlay: Overlay = {
      committed: new Map(),
      transferIds: new Set(),
      records: new Set(),
      balances: new Map(),
    };
    const outcomes = groups.map((group) => judge(statements, overlay, group, timestamp));
    if (overlay.committed.size > 0) write(statements, [...overlay.committed.values()], timestamp);
    if (overlay.committed.size > 0 && timestamp !== last) statements.setClock.run(timestamp);
    database.exec("COMMIT");
    return outcomes;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function judge(statements: Statements, overlay: Overlay, group: Group, timestamp: number): GroupOutcome {
  const replay = judgeReplay(statements, overlay, group, timestamp);
  if (replay) return replay;

  const rejection =
    findExistingTransfer(statements, overlay, group) ??
    findExistingRecord(statements, overlay, group) ??
    judgeBalances(statements, overlay, group);
  if (rejection) return { status: "rejected", rejection };

  overlay.committed.set(group.id, group);
  for (const transfer of group.transfers) overlay.transferIds.add(transfer.id);
  for (const record of group.records) overlay.records.add(record.key);
  return { status: "committed", timestamp, records: group.records };
}

function judgeReplay(
  statements: Statements,
  overlay: Overlay,
  group: Group,
  timestamp: number,
): GroupOutcome | undefined {
  const inBatch = overlay.committed.get(group.id);
  if (inBatch) {
    return inBatch.fingerprint === group.fingerprint
      ? { status: "exists", timestamp, records: inBatch.records }
      : { status: "conflict" };
  }
  const row = statements.group.get(group.id);
  if (row === undefined) return undefined;
  if (text(row, "fingerprint") !== group.fingerprint) return { status: "conflict" };
  const records = statements.groupRecords
    .all(group.id)
    .map((record): LedgerRecord => ({ key: text(record, "key"), value: text(record, "value") }));
  return { status: "exists", timestamp: Number(integer(row, "timestamp")), records };
}

function findExistingTransfer(statements: Statements, overlay: Overlay, group: Group): Rejection | undefined {
  const own = new Set<TransferId>();
  for (const { id } of group.transfers) {
    if (own.has(id) || overlay.transferIds.has(id) || statements.transferExists.get(id) !== undefined) {
      return { reason: "transfer_exists", transferId: id };
    }
    own.add(id);
  }
  return undefined;
}

function findExistingRecord(statements: Statements, overlay: Overlay, group: Group): Rejection | undefined {
  const own = new Set<string>();
  for (const { key } of group.records) {
    if (own.has(key) || recordExists(statements, overlay, key)) return { reason: "record_exists", key };
    own.add(key);
  }
  return undefined;
}

/** Judges sides and guards on the balances after the group; only if all hold do they become the batch's. */
function judgeBalances(statements: Statements, overlay: Overlay, group: Group): Rejection | undefined {
  const after = new Map<AccountName, bigint>();
  const balanceOf = (account: AccountName): bigint => {
    const own = after.get(account) ?? overlay.balances.get(account);
    if (own !== undefined) return own;
    const stored = readBalance(statements, account);
    overlay.balances.set(account, stored);
    return stored;
  };
  for (const { debit, credit, amount } of group.transfers) {
    after.set(debit, balanceOf(debit) - amount);
    after.set(credit, balanceOf(credit) + amount);
  }
  for (const { debit, code } of group.transfers) {
    // A chargeback takes the money whether it is there or not: the gateway has done so already.
    if (code !== "chargeback" && mustNotGoBelowZero(debit) && balanceOf(debit) < 0n)
      return { reason: "overdraft", account: debit };
  }
  const broken = (group.guards ?? []).findIndex(
    (guard) => !holds(guard, balanceOf, (key) => recordExists(statements, overlay, key)),
  );
  if (broken >= 0) return { reason: "guard", index: broken };
  for (const [account, balance] of after) overlay.balances.set(account, balance);
  return undefined;
}

/** Records are looked at as they were before the group, so that one may say "absent" of what it writes itself. */
function holds(
  guard: Guard,
  balanceOf: (account: AccountName) => bigint,
  exists: (key: string) => boolean,
): boolean {
  switch (guard.kind) {
    case "at_most":
      return balanceOf(guard.account) <= guard.amount;
    case "covers":
      return balanceOf(guard.account) + guard.slack >= balanceOf(guard.against);
    case "absent":
      return !exists(guard.key);
    case "present":
      return exists(guard.key);
  }
}

function recordExists(statements: Statements, overlay: Overlay, key: string): boolean {
  return overlay.records.has(key) || statements.record.get(key) !== undefined;
}

function readBalance(statements: Statements, account: AccountName): Micros {
  const row = statements.account.get(account);
  return row === undefined ? ZERO : micros(integer(row, "credits") - integer(row, "debits"));
}

function write(statements: Statements, groups: readonly Group[], timestamp: number): void {
  const movements = new Map<AccountName, { number: bigint; debits: bigint; credits: bigint }>();
  const movementOf = (account: AccountName) => {
    let movement = movements.get(account);
    if (!movement) {
      const row = statements.account.get(account) ?? statements.insertAccount.get(account);
      movement = { number: integer(row, "number"), debits: 0n, credits: 0n };
      movements.set(account, movement);
    }
    return movement;
  };
  for (const group of groups) {
    statements.insertGroup.run(group.id, group.fingerprint, timestamp);
    for (const transfer of group.transfers) {
      const debit = movementOf(transfer.debit);
      const credit = movementOf(transfer.credit);
      debit.debits += transfer.amount;
      credit.credits += transfer.amount;
      const { id, amount, code, reference } = transfer;
      statements.insertTransfer.run(
        id,
        group.id,
        debit.number,
        credit.number,
        amount,
        code,
        reference,
        timestamp,
      );
    }
    group.records.forEach((record, position) => {
      statements.insertRecord.run(record.key, record.value, group.id, position);
    });
  }
  for (const { number, debits, credits } of movements.values())
    statements.addToAccount.run(debits, credits, number);
}

/** A group that breaks these was made by a bug of ours, never by a client. */
function assertWellFormed(group: Group): void {
  const bad = (what: string) => new RangeError(`ledger group ${group.id}: ${what}`);
  if (!ID.test(group.id)) throw bad("its id is not 32 hex digits");
  if (group.transfers.length > MAX_TRANSFERS_PER_GROUP) throw bad("too many transfers");
  for (const { id, debit, credit, amount } of group.transfers) {
    if (!ID.test(id)) throw bad("a transfer's id is not 32 hex digits");
    if (amount <= 0n || amount > MAX_TRANSFER_AMOUNT) throw bad(`a transfer of ${amount}`);
    if (debit === credit || debit === "" || credit === "") throw bad(`a transfer from ${debit} to ${credit}`);
  }
}

const ID = /^[0-9a-f]{32}$/;
/** Keeps sums within 64 bits for more transfers than there will be. */
const MAX_TRANSFER_AMOUNT = 1_000_000_000_000_000n;

function queryTransfers(database: DatabaseSync, query: TransferQuery): PostedTransfer[] {
  if (!Number.isSafeInteger(query.limit) || query.limit < 1 || query.limit > MAX_QUERY_LIMIT)
    throw new RangeError(`limit of ${query.limit}`);
  const codes = query.codes ?? [];
  const statement = database.prepare(`
    SELECT t.sequence, t.id, t.group_id, d.name AS debit, c.name AS credit, t.amount, t.code, t.reference, t.timestamp
    FROM ledger_transfers t JOIN ledger_accounts d ON d.number = t.debit JOIN ledger_accounts c ON c.number = t.credit
    WHERE t.${query.side === "debit" ? "debit" : "credit"} = (SELECT number FROM ledger_accounts WHERE name = ?)
      AND t.sequence > ? AND t.sequence <= ?
      ${codes.length === 0 ? "" : `AND t.code IN (${codes.map(() => "?").join(", ")})`}
    ORDER BY t.sequence LIMIT ?`);
  statement.setReadBigInts(true);
  const rows = statement.all(
    query.account,
    query.afterSequence ?? 0,
    query.upToSequence ?? Number.MAX_SAFE_INTEGER,
    ...codes,
    query.limit,
  );
  return rows.map(readTransfer);
}

function readTransfer(row: Row): PostedTransfer {
  return {
    id: text(row, "id"),
    groupId: text(row, "group_id"),
    debit: text(row, "debit"),
    credit: text(row, "credit"),
    amount: micros(integer(row, "amount")),
    code: transferCode(text(row, "code")),
    reference: text(row, "reference"),
    sequence: Number(integer(row, "sequence")),
    timestamp: Number(integer(row, "timestamp")),
  };
}

const TRANSFER_CODES: Readonly<Record<TransferCode, true>> = {
  top_up: true,
  withdraw: true,
  payment: true,
  change: true,
  swap: true,
  deposit: true,
  refund: true,
  fee: true,
  payout: true,
  payout_confirmed: true,
  chargeback: true,
  write_off: true,
  control: true,
};

function isTransferCode(code: string): code is TransferCode {
  return Object.hasOwn(TRANSFER_CODES, code);
}

function transferCode(code: string): TransferCode {
  if (!isTransferCode(code)) throw new Error(`the ledger holds a transfer with the unknown code ${code}`);
  return code;
}

/** In one read transaction, so that a batch that commits meanwhile is seen whole or not at all. */
function audit(database: DatabaseSync): LedgerAudit {
  const all = (sql: string, ...parameters: string[]): Row[] => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all(...parameters);
  };
  database.exec("BEGIN");
  try {
    const differences: string[] = [];
    const accounts = all(`
      SELECT a.name, a.debits, a.credits,
        (SELECT coalesce(sum(amount), 0) FROM ledger_transfers WHERE debit = a.number) AS debited,
        (SELECT coalesce(sum(amount), 0) FROM ledger_transfers WHERE credit = a.number) AS credited,
        (SELECT count(*) FROM ledger_transfers WHERE debit = a.number AND code = 'chargeback') AS chargebacks
      FROM ledger_accounts a ORDER BY a.name`);
    let sum = 0n;
    const trialBalance = accounts.map((row) => {
      const account = text(row, "name");
      const debits = integer(row, "debited");
      const credits = integer(row, "credited");
      const balance = credits - debits;
      sum += integer(row, "credits") - integer(row, "debits");
      if (debits !== integer(row, "debits") || credits !== integer(row, "credits")) {
        differences.push(
          `${account}: its transfers say ${balance}, its row says ${integer(row, "credits") - integer(row, "debits")}`,
        );
      }
      if (balance < 0n && mustNotGoBelowZero(account) && integer(row, "chargebacks") === 0n)
        differences.push(`${account}: below zero, ${balance}`);
      if (balance !== 0n && account.startsWith("clearing:") && account !== "clearing:payout")
        differences.push(`${account}: not cleared, ${balance}`);
      return { account, debits: micros(debits), credits: micros(credits), balance: micros(balance) };
    });
    if (sum !== 0n) differences.push(`the balances add up to ${sum}, not to zero`);

    const issued = new Map(
      all(
        `SELECT json_extract(value, '$.keysetId') AS keyset, sum(CAST(json_extract(value, '$.amount') AS INTEGER)) AS issued
         FROM ledger_records WHERE key >= ? AND key < ? GROUP BY 1`,
        OUTPUT_RECORD_PREFIX,
        `${OUTPUT_RECORD_PREFIX}\u{10FFFF}`,
      ).map((row) => [text(row, "keyset"), integer(row, "issued")]),
    );
    for (const { account, credits } of trialBalance) {
      if (!account.startsWith("float:")) continue;
      const coins = issued.get(account.slice("float:".length)) ?? 0n;
      if (coins !== credits)
        differences.push(`${account}: ${credits} went into it, coins for ${coins} were issued`);
    }
    for (const row of all(
      "SELECT t.id FROM ledger_transfers t LEFT JOIN ledger_groups g ON g.id = t.group_id WHERE g.id IS NULL OR g.timestamp <> t.timestamp LIMIT 10",
    )) {
      differences.push(`transfer ${text(row, "id")}: not of its group`);
    }
    const transfers = Number(
      integer(all("SELECT count(*) AS transfers FROM ledger_transfers")[0], "transfers"),
    );
    return { transfers, trialBalance, differences };
  } finally {
    database.exec("COMMIT");
  }
}

type Row = Record<string, unknown>;

function text(row: Row | undefined, column: string): string {
  const value = row?.[column];
  if (typeof value !== "string") throw new Error(`the ledger's column ${column} is not text`);
  return value;
}

function optionalText(row: Row | undefined, column: string): string | undefined {
  return row === undefined ? undefined : text(row, column);
}

function integer(row: Row | undefined, column: string): bigint {
  const value = row?.[column];
  if (typeof value !== "bigint") throw new Error(`the ledger's column ${column} is not an integer`);
  return value;
}
