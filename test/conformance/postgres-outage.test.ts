/** PostgreSQL ends the connections under a database that is busy, again and again. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { sql } from "kysely";
import postgres from "postgres";
import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import { type OpenDatabase, openDatabase } from "../../server/database.ts";
import { readerAccount } from "../../server/ledger/accounts.ts";
import { deriveId } from "../../server/ledger/ids.ts";
import type { Group } from "../../server/ledger/ledger.ts";
import { openLedger } from "../../server/ledger/open.ts";
import { micros } from "../../shared/money.ts";
import { postgresDatabases, type TestDatabase } from "../support/database.ts";

const ASKING = 16;
const OUTAGES = 200;
/** More than it takes to connect again, and less than the test may take. */
const PATIENCE_MILLISECONDS = 20_000;

const databases = postgresDatabases();
let database: TestDatabase;
let open: OpenDatabase;
let operator: postgres.Sql;

beforeEach(async () => {
  database = await databases.make();
  open = await openDatabase(database.place);
  operator = postgres(database.address, { max: 1, onnotice: () => {} });
});
afterEach(async () => {
  await open.close();
  await operator.end();
  await database.destroy();
});
afterAll(() => databases.stop());

it("leaves no question without an end and the process alive, and answers those that come later", async () => {
  const seen = { answered: 0, failed: 0, lost: 0 };
  let isOver = false;
  const ask = async () => {
    while (!isOver) seen[await outcomeOf(question(1n))]++;
  };
  const asking = Array.from({ length: ASKING }, ask);
  for (let outage = 0; outage < OUTAGES; outage++) {
    await endConnections();
    await wait(outage % 20);
  }
  isOver = true;
  await Promise.all(asking);
  expect(seen).toEqual({ answered: expect.any(Number), failed: expect.any(Number), lost: 0 });
  // Otherwise it has not been tried.
  expect(Math.min(seen.answered, seen.failed)).toBeGreaterThan(OUTAGES / 10);

  const later = Array.from({ length: ASKING }, (_, index) => settledInTime(question(BigInt(index))));
  expect(await Promise.all(later)).toEqual(later.map((_, index) => BigInt(index)));
});

it("leaves no transfer without an end: each is committed once, or refused, and later ones go on", async () => {
  const ledger = openLedger(database.place, Date.now);
  const seen = { answered: 0, failed: 0, lost: 0 };
  let isOver = false;
  let made = 0;
  const pay = async () => {
    while (!isOver) seen[await outcomeOf(ledger.apply(topUp(made++)))]++;
  };
  const paying = Array.from({ length: ASKING }, pay);
  // As many as that, and until some went through between two of them: a busy machine is given more time for it.
  for (let outage = 0; outage < OUTAGES / 2 || seen.answered <= OUTAGES / 10; outage++) {
    await endConnections();
    await wait(20 + (outage % 60) + Math.max(0, outage - OUTAGES / 2) * 10);
  }
  isOver = true;
  await Promise.all(paying);
  expect(seen).toMatchObject({ lost: 0, answered: expect.any(Number) });

  const outcomes = await Promise.all(
    Array.from({ length: made }, (_, index) => settledInTime(ledger.apply(topUp(index)))),
  );
  expect(outcomes.filter((outcome) => outcome === "lost" || outcome.status === "rejected")).toEqual([]);
  expect(await ledger.balance(CREDITED)).toBe(BigInt(made));
  await ledger.close();
});

it("commits a transfer once though its connection stays open and its answer never comes", async () => {
  const way = await openWay();
  const ledger = openLedger({ kind: "postgres", url: way.address }, Date.now);
  try {
    expect(await ledger.apply(topUp(0))).toMatchObject({ status: "committed" });
    way.swallowAnswers();
    expect(await settledInTime(ledger.apply(topUp(1)))).toMatchObject({ status: "committed" });
    expect(await ledger.apply(topUp(1))).toMatchObject({ status: "exists" });
    expect(await ledger.balance(CREDITED)).toBe(2n);
  } finally {
    way.close();
    await ledger.close();
  }
});

/** A way to the database on which the connections of now can be made to bring no further answer; later ones do. */
async function openWay() {
  const target = new URL(database.address);
  const answers = new Set<Socket>();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    answers.add(upstream);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => {}).pipe(to);
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const own = server.address();
  if (own === null || typeof own === "string") throw new Error("the way has no port");
  const address = new URL(target);
  address.port = String(own.port);
  return {
    address: address.href,
    swallowAnswers(): void {
      for (const socket of answers) socket.unpipe().resume();
    },
    close(): void {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const CREDITED = readerAccount("a".repeat(43));

function topUp(index: number): Group {
  return {
    id: deriveId("outage", String(index)),
    fingerprint: "f",
    transfers: [
      {
        id: deriveId("outage transfer", String(index)),
        debit: "gateway_clearing:test",
        credit: CREDITED,
        amount: micros(1n),
        code: "top_up",
        reference: String(index),
      },
    ],
    records: [],
    guards: [],
  };
}

/** It takes a moment, so that connections end while it is asked. */
async function question(value: bigint): Promise<bigint | undefined> {
  const query = sql<{ value: bigint }>`SELECT ${value}::bigint AS value FROM pg_sleep(0.002)`;
  return (await query.execute(open.database)).rows[0]?.value;
}

async function outcomeOf(asked: Promise<unknown>): Promise<"answered" | "failed" | "lost"> {
  try {
    return (await settledInTime(asked)) === "lost" ? "lost" : "answered";
  } catch {
    return "failed";
  }
}

function settledInTime<T>(asked: Promise<T>): Promise<T | "lost"> {
  const timer = new AbortController();
  const late = wait(PATIENCE_MILLISECONDS, "lost" as const, { signal: timer.signal });
  late.catch(() => {});
  return Promise.race([asked, late]).finally(() => timer.abort());
}

async function endConnections(): Promise<void> {
  await operator`
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`;
}
