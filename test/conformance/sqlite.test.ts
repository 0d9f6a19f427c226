import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readerAccount } from "../../server/ledger/accounts.ts";
import { deriveId } from "../../server/ledger/ids.ts";
import { openSqliteLedger } from "../../server/ledger/sqlite.ts";
import { micros } from "../../shared/money.ts";
import { describeLedger } from "./ledger.ts";

describeLedger("SQLite", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tuppence-ledger-"));
  return {
    open: (now) => openSqliteLedger({ path: join(folder, "ledger.sqlite"), now }),
    destroy: async () => rmSync(folder, { recursive: true }),
  };
});

describe("the ledger's file", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tuppence-ledger-"));
    path = join(folder, "ledger.sqlite");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("holds every group that was confirmed, and none in part, after the process was killed", async () => {
    const confirmed: string[] = [];
    const writer = startWriter("victim");
    for await (const line of createInterface({ input: writer.stdout })) {
      confirmed.push(line.split(" ")[1] ?? "");
      if (confirmed.length === 500) writer.kill("SIGKILL");
    }
    expect(confirmed.length).toBeGreaterThanOrEqual(500);

    const ledger = openSqliteLedger({ path, now: Date.now });
    const { differences, transfers } = await ledger.audit();
    expect(differences).toEqual([]);
    expect(await ledger.records(confirmed.map((id) => `r:${id}`))).toHaveProperty("size", confirmed.length);
    expect(
      await ledger.existing(confirmed.flatMap((id) => [deriveId("t", id), deriveId("u", id)])),
    ).toHaveProperty("size", 2 * confirmed.length);
    expect(await ledger.balance(readerAccount("victim"))).toBe(BigInt(transfers / 2) * 7n);
    expect(await ledger.balance(readerAccount("both"))).toBe(BigInt(transfers / 2) * 3n);
    const again = confirmed[0] ?? "";
    expect((await ledger.group(deriveId("g", again)))?.fingerprint).toBe(again);
    await ledger.close();
  });

  it("takes what two processes write at the same time, each group once", async () => {
    const writers = ["one", "two"].map((name) => startWriter(name, 300));
    const codes = await Promise.all(writers.map((writer) => finish(writer)));
    expect(codes).toEqual([0, 0]);
    const ledger = openSqliteLedger({ path, now: Date.now });
    expect((await ledger.audit()).differences).toEqual([]);
    expect(await ledger.balance(readerAccount("one"))).toBe(2_100n);
    expect(await ledger.balance(readerAccount("two"))).toBe(2_100n);
    expect(await ledger.balance(readerAccount("both"))).toBe(1_800n);
    await ledger.close();
  });

  it("lets one of two processes win that spend the same", async () => {
    const ledgers = [openSqliteLedger({ path, now: Date.now }), openSqliteLedger({ path, now: Date.now })];
    const groups = Array.from({ length: 50 }, (_, index) => {
      const transfer = {
        id: deriveId("t", `${index}`),
        debit: "gateway_clearing:test",
        credit: "reader:r",
        amount: micros(1n),
        code: "top_up",
        reference: "",
      } as const;
      return { id: deriveId("g", `${index}`), fingerprint: "same", transfers: [transfer], records: [] };
    });
    const outcomes = await Promise.all(
      ledgers.flatMap((ledger) => groups.map((group) => ledger.apply(group))),
    );
    expect(outcomes.filter(({ status }) => status === "committed")).toHaveLength(50);
    expect(outcomes.filter(({ status }) => status === "exists")).toHaveLength(50);
    for (const ledger of ledgers) await ledger.close();
  });

  it("tells in its audit when somebody changed a balance", async () => {
    const ledger = openSqliteLedger({ path, now: Date.now });
    const transfer = {
      id: deriveId("t", "1"),
      debit: "gateway_clearing:test",
      credit: "reader:r",
      amount: micros(5n),
      code: "top_up",
      reference: "",
    } as const;
    await ledger.apply({ id: deriveId("g", "1"), fingerprint: "f", transfers: [transfer], records: [] });
    const thief = new DatabaseSync(path);
    expect(() => thief.exec("UPDATE ledger_transfers SET amount = 9")).toThrow("append-only");
    expect(() => thief.exec("DELETE FROM ledger_transfers")).toThrow("append-only");
    thief.exec("UPDATE ledger_accounts SET credits = credits + 1 WHERE name = 'reader:r'");
    thief.close();
    expect((await ledger.audit()).differences).toEqual([
      "reader:r: its transfers say 5, its row says 6",
      "the balances add up to 1, not to zero",
    ]);
    await ledger.close();
  });

  it("tells in its audit when coins came from nowhere", async () => {
    const ledger = openSqliteLedger({ path, now: Date.now });
    const float = `float:01${"cd".repeat(32)}`;
    const transfer = {
      id: deriveId("t", "1"),
      debit: "gateway_clearing:test",
      credit: float,
      amount: micros(5n),
      code: "withdraw",
      reference: "",
    } as const;
    await ledger.apply({ id: deriveId("g", "1"), fingerprint: "f", transfers: [transfer], records: [] });
    expect((await ledger.audit()).differences).toEqual([`${float}: 5 went into it, coins for 0 were issued`]);
    await ledger.close();
  });

  function startWriter(name: string, most?: number): ChildProcessWithoutNullStreams {
    const script = join(import.meta.dirname, "ledger-writer.ts");
    return spawn(process.execPath, [script, path, name, ...(most === undefined ? [] : [`${most}`])]);
  }
});

async function finish(writer: ChildProcessWithoutNullStreams): Promise<number | null> {
  writer.stdout.resume();
  writer.stderr.pipe(process.stderr);
  const [code] = await once(writer, "exit");
  return typeof code === "number" ? code : null;
}
