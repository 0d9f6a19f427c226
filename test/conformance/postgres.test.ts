import postgres from "postgres";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { BANK, GATEWAY_CLEARING, merchantAccount, readerAccount } from "../../server/ledger/accounts.ts";
import { deriveId } from "../../server/ledger/ids.ts";
import type { Group, Ledger } from "../../server/ledger/ledger.ts";
import { openLedger } from "../../server/ledger/open.ts";
import { micros } from "../../shared/money.ts";
import { migrate, postgresDatabases, type TestDatabase } from "../support/database.ts";
import { describeLedger } from "./ledger.ts";

describeLedger(postgresDatabases());

/** A race that hardly ever happens by itself: one process's commit stands still half-way, while another's goes on. */
describe("a commit that is held up in PostgreSQL", () => {
  const databases = postgresDatabases();
  let database: TestDatabase;
  let ledgers: [Ledger, Ledger, Ledger];
  let sql: postgres.Sql;

  beforeEach(async () => {
    database = await databases.make();
    await migrate(database.place);
    ledgers = [open(), open(), open()];
    sql = postgres(database.address, { onnotice: () => {} });
  });
  afterEach(async () => {
    expect((await ledgers[0].audit()).differences).toEqual([]);
    await Promise.all(ledgers.map((ledger) => ledger.close()));
    await sql.end();
    await database.destroy();
  });
  afterAll(() => databases.stop());

  const open = () => openLedger(database.place, Date.now);

  it("keeps later transfers out of the list until it has its place in it", async () => {
    const [slow, quick, reader] = ledgers;
    const held = await holdUp(slow, group("first", GATEWAY_CLEARING, readerAccount("r")));
    await quick.apply(group("second", GATEWAY_CLEARING, readerAccount("s")));
    const listed = reader.transfers({ account: GATEWAY_CLEARING, side: "debit", limit: 10 });
    await untilWaiting(2, listed);
    await held.letGo();
    expect((await listed).map(({ reference }) => reference)).toEqual(["first", "second"]);
    expect(await held.outcome).toMatchObject({ status: "committed" });
  });

  it("comes before the record whose absence it relies on", async () => {
    const [slow, quick, reader] = ledgers;
    await quick.apply(group("earned", GATEWAY_CLEARING, merchantAccount("m")));
    const closing = { key: "closing:m:1", value: "{}" };
    const held = await holdUp(slow, {
      ...group("refund", merchantAccount("m"), BANK),
      guards: [{ kind: "absent", key: closing.key }],
    });
    const seenByCloser = quick
      .apply({ id: deriveId("group", "close"), fingerprint: "", transfers: [], records: [closing] })
      .then(() => reader.balance(BANK));
    await untilWaiting(2, seenByCloser);
    await held.letGo();
    expect(await seenByCloser).toBe(5n);
    expect(await held.outcome).toMatchObject({ status: "committed" });
  });

  it("goes on in smaller pieces where others are quicker again and again", async () => {
    await overtakeMoreThan(10);
    const groups = Array.from({ length: 100 }, (_, index) =>
      group(`reader ${index}`, GATEWAY_CLEARING, readerAccount(`r${index % 7}`)),
    );
    const outcomes = await Promise.all(groups.map((one) => ledgers[0].apply(one)));
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(["committed"]));
    expect(await ledgers[1].balance(GATEWAY_CLEARING)).toBe(-500n);
  });

  it("is put off, and no fault of ours, where others are quicker to the end", async () => {
    await overtakeMoreThan(0);
    const outcome = ledgers[0].apply(group("unlucky", GATEWAY_CLEARING, readerAccount("r")));
    await expect(outcome).rejects.toMatchObject({ code: "overloaded" });
    expect(await ledgers[1].balance(readerAccount("r"))).toBe(0n);
  });

  /** As if a balance had moved under each batch of more than so many groups. */
  async function overtakeMoreThan(count: number): Promise<void> {
    await sql.unsafe(`
      CREATE FUNCTION overtake() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT count(*) FROM added) > ${count} THEN
          RAISE EXCEPTION 'a balance moved' USING ERRCODE = 'TU001';
        END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER overtake AFTER INSERT ON ledger_groups REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION overtake()`);
  }

  /** Until then another transaction, which is given up, has the group's record. */
  async function holdUp(ledger: Ledger, held: Group) {
    const blocker = await sql.reserve();
    await blocker`BEGIN`;
    await blocker`INSERT INTO ledger_records VALUES (${held.fingerprint}, '{}')`;
    const outcome = ledger.apply({ ...held, records: [{ key: held.fingerprint, value: "{}" }] });
    await untilWaiting(1, outcome);
    return {
      outcome,
      async letGo() {
        await blocker`ROLLBACK`;
        blocker.release();
      },
    };
  }

  /** Until so many connections wait for a lock, or the work is done without. */
  async function untilWaiting(count: number, work: Promise<unknown>): Promise<void> {
    let isDone = false;
    const done = () => {
      isDone = true;
    };
    void work.then(done, done);
    for (;;) {
      const [row] = await sql`
        SELECT count(*)::integer AS waiting FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      if (isDone || row?.waiting >= count) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
});

function group(id: string, debit: string, credit: string): Group {
  const transfer = {
    id: deriveId("transfer", id),
    debit,
    credit,
    amount: micros(5n),
    code: "top_up",
    reference: id,
  } as const;
  return { id: deriveId("group", id), fingerprint: id, transfers: [transfer], records: [] };
}
