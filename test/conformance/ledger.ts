/** What every ledger must do, whatever it stands on. An adapter's own test calls this with a way to open one. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  BANK,
  CONTROL,
  floatAccount,
  merchantAccount,
  PAYMENT_CLEARING,
  provisionalAccount,
  readerAccount,
} from "../../server/ledger/accounts.ts";
import { coinTransferId, deriveId } from "../../server/ledger/ids.ts";
import type { Group, Guard, Ledger, LedgerRecord, Transfer } from "../../server/ledger/ledger.ts";
import { openLedger } from "../../server/ledger/open.ts";
import { outputRecordKey, writeOutputRecord } from "../../server/ledger/outputs.ts";
import { micros } from "../../shared/money.ts";
import { migrate, type TestDatabase, type TestDatabases } from "../support/database.ts";

const GATEWAY = "gateway_clearing:test";
const KEYSET = `01${"ab".repeat(32)}`;
const FLOAT = floatAccount(KEYSET);

export function describeLedger(databases: TestDatabases, { inThread = false } = {}): void {
  describe(`the ledger on ${databases.kind}${inThread ? ", writing in a thread" : ""}`, () => {
    let database: TestDatabase;
    let ledger: Ledger;
    let now = 1_000_000;
    const open = () => openLedger(database.place, () => now, inThread);

    afterAll(() => databases.stop());
    beforeEach(async () => {
      now = 1_000_000;
      database = await databases.make();
      await migrate(database.place);
      ledger = open();
    });
    afterEach(async () => {
      if (!isTamperedWith) expect((await ledger.audit()).differences).toEqual([]);
      isTamperedWith = false;
      await ledger.close();
      await database.destroy();
    });
    let isTamperedWith = false;

    it("moves money once, and answers a replay with the first time's memo, records and timestamp", async () => {
      const saying = (text: string) => ({
        ...topUp("a", 500n, [{ key: "answer:a", value: `"${text}"` }]),
        memo: `{"said":"${text}"}`,
      });
      const committed = {
        timestamp: 1_000_000,
        memo: '{"said":"first"}',
        records: [{ key: "answer:a", value: '"first"' }],
      };
      expect(await ledger.apply(saying("first"))).toEqual({ status: "committed", ...committed });
      now += 5_000;
      expect(await ledger.apply(saying("second"))).toEqual({ status: "exists", ...committed });
      expect(await ledger.balance(readerAccount("r"))).toBe(500n);
      expect(await ledger.balance(GATEWAY)).toBe(-500n);
    });

    it("judges duplicates within one batch in their order", async () => {
      const outcomes = await Promise.all([
        ledger.apply(topUp("a", 500n)),
        ledger.apply(topUp("a", 500n)),
        ledger.apply({ ...topUp("a", 500n), fingerprint: "other" }),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(["committed", "exists", "conflict"]);
      expect(await ledger.balance(readerAccount("r"))).toBe(500n);
    });

    it("finds groups by their ids, with the memos that they have", async () => {
      const noted = { ...topUp("a", 500n), memo: '{"text":"\\"quoted\\", null, {braces} and a \\\\"}' };
      const [first, second] = await Promise.all([ledger.apply(noted), ledger.apply(topUp("b", 500n))]);
      expect([first.status, second.status]).toEqual(["committed", "committed"]);
      const ids = [noted.id, topUp("b", 500n).id];
      const groups = await ledger.groups([...ids, deriveId("pay", "never made")]);
      expect([...groups.keys()].sort()).toEqual(ids.toSorted());
      expect(groups.get(noted.id)).toEqual({
        fingerprint: noted.fingerprint,
        timestamp: 1_000_000,
        memo: noted.memo,
      });
      expect(groups.get(ids[1] ?? "")?.memo).toBeUndefined();
      expect(await ledger.group(noted.id)).toEqual(groups.get(noted.id));
    });

    it("refuses other content under a known id, and leaves nothing of it", async () => {
      await ledger.apply(topUp("a", 500n));
      expect(await ledger.apply({ ...topUp("a", 700n), fingerprint: "other" })).toEqual({
        status: "conflict",
      });
      expect(await ledger.balance(readerAccount("r"))).toBe(500n);
    });

    it("commits a group whole or not at all", async () => {
      await stock(["c1", "c2"]);
      const refused = await ledger.apply(
        pay("p1", ["c1", "c2"], {
          amount: 150n,
          from: 200n,
          extra: [transfer("x", readerAccount("nobody"), BANK, 1n)],
        }),
      );
      expect(refused).toEqual({
        status: "rejected",
        rejection: { reason: "overdraft", account: readerAccount("nobody") },
      });
      expect(await ledger.balance(merchantAccount("m"))).toBe(0n);
      expect(await ledger.existing([coinTransferId("c1"), coinTransferId("c2")])).toEqual(new Set());
      expect(await ledger.record(outputRecordKey("change-p1"))).toBeUndefined();
      expect(await ledger.group(deriveId("pay", "p1"))).toBeUndefined();
    });

    it("never uses up a coin by a rejection: the same coins pay in the next attempt", async () => {
      await stock(["c1"]);
      const [refused, paid] = await Promise.all([
        ledger.apply(pay("p1", ["c1"], { guards: [{ kind: "present", key: "frozen:nobody" }] })),
        ledger.apply(pay("p2", ["c1"])),
      ]);
      expect(refused).toEqual({ status: "rejected", rejection: { reason: "guard", index: 0 } });
      expect(paid).toMatchObject({ status: "committed" });
      expect(await ledger.apply(pay("p1", ["c1"]))).toEqual({
        status: "rejected",
        rejection: { reason: "transfer_exists", transferId: coinTransferId("c1") },
      });
    });

    it("spends a coin once, within a batch and across batches", async () => {
      await stock(["c1"]);
      const race = await Promise.all(
        Array.from({ length: 20 }, (_, index) => ledger.apply(pay(`p${index}`, ["c1"]))),
      );
      expect(race.filter(({ status }) => status === "committed")).toHaveLength(1);
      expect(race.filter(({ status }) => status === "rejected")).toHaveLength(19);
      expect(await ledger.apply(pay("late", ["c1"]))).toMatchObject({
        status: "rejected",
        rejection: { reason: "transfer_exists" },
      });
      expect(await ledger.balance(merchantAccount("m"))).toBe(100n);
    });

    it("refuses a group that has the same transfer twice", async () => {
      await stock(["c1"]);
      expect(await ledger.apply(pay("p1", ["c1", "c1"], { amount: 200n, from: 200n }))).toMatchObject({
        rejection: { reason: "transfer_exists" },
      });
    });

    it("signs a blinded message once: a record's key can be written once", async () => {
      await stock(["c1", "c2"]);
      const change = { amount: 60n, from: 100n, output: "same" };
      const [first, second] = await Promise.all([
        ledger.apply(pay("p1", ["c1"], change)),
        ledger.apply(pay("p2", ["c2"], change)),
      ]);
      expect(first.status).toBe("committed");
      expect(second).toEqual({
        status: "rejected",
        rejection: { reason: "record_exists", key: outputRecordKey("same") },
      });
    });

    it("keeps each account on its side, a chargeback excepted", async () => {
      await ledger.apply(topUp("a", 500n));
      const outcome = await ledger.apply(group("too much", [transfer("w", readerAccount("r"), BANK, 501n)]));
      expect(outcome).toEqual({
        status: "rejected",
        rejection: { reason: "overdraft", account: readerAccount("r") },
      });
      const back = await ledger.apply(
        group("back", [{ ...transfer("b", readerAccount("r"), GATEWAY, 800n), code: "chargeback" }]),
      );
      expect(back.status).toBe("committed");
      expect(await ledger.balance(readerAccount("r"))).toBe(-300n);
      expect((await ledger.apply(topUp("b", 100n))).status).toBe("committed");
      expect((await ledger.apply(group("more", [transfer("m", readerAccount("r"), BANK, 1n)]))).status).toBe(
        "rejected",
      );
    });

    it("lets money pass through a clearing account that is empty before and after", async () => {
      await stock(["c1"]);
      expect(await ledger.apply(pay("p1", ["c1"], { amount: 40n, from: 100n }))).toMatchObject({
        status: "committed",
      });
      expect(await ledger.balance(PAYMENT_CLEARING)).toBe(0n);
      expect(await ledger.balance(FLOAT)).toBe(60n);
    });

    it("checks a guard after the group's own transfers, not before", async () => {
      const guards: Guard[] = [{ kind: "at_most", account: "topped_up:r:day", amount: micros(1_000n) }];
      const count = (id: string, amount: bigint) =>
        ledger.apply({ ...group(id, [transfer(id, CONTROL, "topped_up:r:day", amount)]), guards });
      expect(await count("a", 1_001n)).toMatchObject({
        status: "rejected",
        rejection: { reason: "guard", index: 0 },
      });
      expect(await count("b", 1_000n)).toMatchObject({ status: "committed" });
      expect(await count("c", 1n)).toMatchObject({ status: "rejected" });
    });

    it("holds a limit on money that is not final when many withdraw at once", async () => {
      await ledger.apply({
        ...topUp("a", 1_000n),
        transfers: [
          ...topUp("a", 1_000n).transfers,
          transfer("prov", CONTROL, provisionalAccount("r"), 1_000n),
        ],
      });
      const guards: Guard[] = [
        {
          kind: "covers",
          account: readerAccount("r"),
          against: provisionalAccount("r"),
          slack: micros(300n),
        },
      ];
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          ledger.apply({
            ...group(`w${index}`, [transfer(`w${index}`, readerAccount("r"), BANK, 10n)]),
            guards,
          }),
        ),
      );
      expect(outcomes.filter(({ status }) => status === "committed")).toHaveLength(30);
      expect(await ledger.balance(readerAccount("r"))).toBe(700n);
    });

    it("sees what an earlier group of the same batch wrote when it guards by a record", async () => {
      await ledger.apply(topUp("a", 500n));
      const frozen = group(
        "freeze",
        [transfer("f", GATEWAY, readerAccount("r"), 1n)],
        [{ key: "frozen:r", value: "{}" }],
      );
      const withdraw: Group = {
        ...group("w", [transfer("w", readerAccount("r"), BANK, 10n)]),
        guards: [{ kind: "absent", key: "frozen:r" }],
      };
      const [, outcome] = await Promise.all([ledger.apply(frozen), ledger.apply(withdraw)]);
      expect(outcome).toEqual({ status: "rejected", rejection: { reason: "guard", index: 0 } });
    });

    it("takes a group's own record for absent until it is committed", async () => {
      const once: Group = {
        ...group("once", [], [{ key: "closing:m:1", value: "1" }]),
        guards: [{ kind: "absent", key: "closing:m:1" }],
      };
      expect((await ledger.apply(once)).status).toBe("committed");
      expect((await ledger.apply(once)).status).toBe("exists");
    });

    it("never lets time go back along the sequence", async () => {
      await ledger.apply(topUp("a", 1n));
      now -= 60_000;
      await ledger.apply(topUp("b", 1n));
      await ledger.close();
      ledger = open();
      await ledger.apply(topUp("c", 1n));
      const times = (await ledger.transfers({ account: GATEWAY, side: "debit", limit: 10 })).map(
        ({ timestamp }) => timestamp,
      );
      expect(times).toEqual([1_000_000, 1_000_000, 1_000_000]);
    });

    it("counts exactly where a Number cannot", async () => {
      const large = 900_719_925_474_993n;
      for (let index = 0; index < 20; index++) await ledger.apply(topUp(`t${index}`, large));
      expect(await ledger.balance(readerAccount("r"))).toBe(large * 20n);
      expect(Number(large * 20n) > Number.MAX_SAFE_INTEGER).toBe(true);
    });

    it("lists transfers by account, side, code and place, in their one order", async () => {
      for (const id of ["a", "b", "c"]) await ledger.apply(topUp(id, 5n));
      const all = await ledger.transfers({
        account: readerAccount("r"),
        side: "credit",
        codes: ["top_up"],
        limit: 10,
      });
      expect(all.map(({ reference }) => reference)).toEqual(["a", "b", "c"]);
      const second = all[1]?.sequence ?? 0;
      const later = { account: readerAccount("r"), side: "credit" as const, limit: 10 };
      expect(
        (await ledger.transfers({ ...later, afterSequence: second })).map(({ reference }) => reference),
      ).toEqual(["c"]);
      expect(
        (await ledger.transfers({ ...later, upToSequence: second })).map(({ reference }) => reference),
      ).toEqual(["a", "b"]);
      expect(await ledger.transfers({ ...later, codes: ["refund"] })).toEqual([]);
      const newest = { ...later, order: "newest_first" as const, limit: 2 };
      expect((await ledger.transfers(newest)).map(({ reference }) => reference)).toEqual(["c", "b"]);
      expect(
        (await ledger.transfers({ ...newest, upToSequence: second })).map(({ reference }) => reference),
      ).toEqual(["b", "a"]);
      expect(await ledger.balances("reader:")).toEqual(new Map([[readerAccount("r"), 15n]]));
    });

    it("adds up what it would list, by account, side, code and place", async () => {
      for (const id of ["a", "b", "c"]) await ledger.apply(topUp(id, 5n));
      await ledger.apply(group("w", [{ ...transfer("w", readerAccount("r"), BANK, 2n), code: "withdraw" }]));
      const places = (await ledger.transfers({ account: readerAccount("r"), side: "credit", limit: 10 })).map(
        ({ sequence }) => sequence,
      );
      const all = { account: readerAccount("r"), side: "credit" as const, limit: 10_000 };
      const nothing = { groups: 0, amount: 0n, lastSequence: undefined, isComplete: true };
      expect(await ledger.sum(all)).toEqual({
        groups: 3,
        amount: 15n,
        lastSequence: places[2],
        isComplete: true,
      });
      expect(await ledger.sum({ ...all, side: "debit" })).toMatchObject({ groups: 1, amount: 2n });
      expect(await ledger.sum({ ...all, codes: ["top_up", "refund"] })).toMatchObject({ groups: 3 });
      expect(await ledger.sum({ ...all, codes: ["refund"] })).toEqual(nothing);
      expect(await ledger.sum({ ...all, account: "nobody" })).toEqual(nothing);
      const [first = 0, second = 0] = places;
      expect(await ledger.sum({ ...all, afterSequence: first, upToSequence: second })).toMatchObject({
        groups: 1,
        amount: 5n,
        lastSequence: second,
      });
    });

    it("adds up to before the first group that matures later, whatever matured after it", async () => {
      const maturing = (id: string, seconds: number, coins = 1): Group =>
        group(
          id,
          Array.from({ length: coins }, (_, index) => ({
            ...transfer(`${id} ${index}`, GATEWAY, merchantAccount("m"), 10n),
            ...(seconds === 0 ? {} : { maturesAfterSeconds: seconds }),
          })),
        );
      await ledger.apply(maturing("at once", 0, 2));
      await ledger.apply(maturing("a minute", 60, 3));
      await ledger.apply(maturing("an hour", 3_600, 2));
      await ledger.apply(maturing("at once too", 0));
      const posted = await ledger.transfers({ account: merchantAccount("m"), side: "credit", limit: 10 });
      expect(posted.map(({ maturesAt }) => maturesAt - now)).toEqual([
        0, 0, 60_000, 60_000, 60_000, 3_600_000, 3_600_000, 0,
      ]);
      const maturedBy = (by: number) =>
        ledger.sum({ account: merchantAccount("m"), side: "credit", maturedBy: by, limit: 10_000 });
      expect(await maturedBy(now)).toMatchObject({ groups: 1, amount: 20n, isComplete: true });
      expect(await maturedBy(now + 59_999)).toMatchObject({ groups: 1, lastSequence: posted[1]?.sequence });
      expect(await maturedBy(now + 60_000)).toMatchObject({ groups: 2, lastSequence: posted[4]?.sequence });
      expect(await maturedBy(now + 3_600_000)).toMatchObject({ groups: 4, amount: 80n });
    });

    it("adds up whole groups only where its limit ends within one, and goes on behind them", async () => {
      const sizes = [600, 700, 800];
      for (const [index, size] of sizes.entries()) {
        const transfers = Array.from({ length: size }, (_, place) =>
          transfer(`${index} ${place}`, GATEWAY, merchantAccount("m"), 1n),
        );
        await ledger.apply(group(`large ${index}`, transfers));
      }
      const all = { account: merchantAccount("m"), side: "credit" as const, limit: 1_001 };
      const sums: unknown[] = [];
      for (let afterSequence = 0; ; ) {
        const sum = await ledger.sum({ ...all, afterSequence });
        sums.push([sum.groups, sum.amount, sum.isComplete]);
        if (sum.isComplete) break;
        afterSequence = sum.lastSequence ?? Number.NaN;
      }
      expect(sums).toEqual([
        [1, 600n, false],
        [1, 700n, false],
        [1, 800n, true],
      ]);
      expect(await ledger.sum({ ...all, limit: 1_300 })).toMatchObject({ groups: 1, isComplete: false });
      for (const limit of [1_000, 10_001])
        await expect(ledger.sum({ ...all, limit })).rejects.toThrow(RangeError);
    });

    it("answers after it was closed and opened again as it did before", async () => {
      await stock(["c1"]);
      const first = await ledger.apply(pay("p1", ["c1"], { amount: 40n, from: 100n }));
      await ledger.close();
      ledger = open();
      expect(await ledger.apply(pay("p1", ["c1"], { amount: 40n, from: 100n }))).toEqual({
        ...first,
        status: "exists",
      });
    });

    it("makes and loses no money, whatever is thrown at it", async () => {
      const accounts = [GATEWAY, readerAccount("r"), readerAccount("s"), merchantAccount("m"), BANK];
      const step = fc.record({
        id: fc.integer({ min: 0, max: 15 }),
        from: fc.constantFrom(...accounts),
        to: fc.constantFrom(...accounts),
        amount: fc.bigInt({ min: 1n, max: 1_000n }),
        fingerprint: fc.constantFrom("one", "two"),
      });
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 40 }),
          fc.string({ minLength: 8, maxLength: 8 }),
          async (steps, salt) => {
            const groups = steps
              .filter(({ from, to }) => from !== to)
              .map(({ id, from, to, amount, fingerprint }) => ({
                ...group(`${salt}${id}`, [transfer(`${salt}${id}`, from, to, amount)]),
                fingerprint,
              }));
            await Promise.all(groups.map((one) => ledger.apply(one)));
            const { trialBalance, differences } = await ledger.audit();
            expect(differences).toEqual([]);
            expect(trialBalance.reduce((sum, { balance }) => sum + balance, 0n)).toBe(0n);
            for (const { account, balance } of trialBalance)
              if (/^(reader|merchant):/.test(account)) expect(balance).toBeGreaterThanOrEqual(0n);
          },
        ),
        { numRuns: 25 },
      );
    });

    it("holds every group that was confirmed, and none in part, after the process was killed", async () => {
      const confirmed: string[] = [];
      const writer = startWriter("victim");
      for await (const line of createInterface({ input: writer.stdout })) {
        confirmed.push(line.split(" ")[1] ?? "");
        if (confirmed.length === 500) writer.kill("SIGKILL");
      }
      expect(confirmed.length).toBeGreaterThanOrEqual(500);

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
    });

    it("takes what three processes write at the same time, each group once", async () => {
      const names = ["one", "two", "three"];
      const codes = await Promise.all(names.map((name) => finish(startWriter(name, 300))));
      expect(codes).toEqual([0, 0, 0]);
      for (const name of names) expect(await ledger.balance(readerAccount(name))).toBe(2_100n);
      expect(await ledger.balance(readerAccount("both"))).toBe(2_700n);
    });

    it("lets one of three processes win that apply the same groups, and answers the others alike", async () => {
      await withThree(async (ledgers) => {
        const groups = Array.from({ length: 50 }, (_, index) => topUp(`same ${index}`, 1n));
        const outcomes = await Promise.all(
          ledgers.flatMap((each) => shuffled(groups).map((one) => each.apply(one))),
        );
        expect(outcomes.filter(({ status }) => status === "committed")).toHaveLength(50);
        expect(outcomes.filter(({ status }) => status === "exists")).toHaveLength(100);
        expect(await ledger.balance(GATEWAY)).toBe(-50n);
      });
    });

    it("spends each coin once when three processes race for it, whatever they pay with it", async () => {
      const coins = Array.from({ length: 60 }, (_, index) => `coin ${index}`);
      await stock(coins);
      await withThree(async (ledgers) => {
        const outcomes = await Promise.all(
          ledgers.flatMap((each, process) =>
            shuffled(coins).map((coin) => each.apply(pay(`${process} ${coin}`, [coin]))),
          ),
        );
        expect(outcomes.filter(({ status }) => status === "committed")).toHaveLength(60);
        expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(120);
        expect(await ledger.balance(merchantAccount("m"))).toBe(6_000n);
        expect(await ledger.balance(FLOAT)).toBe(0n);
      });
    });

    it("takes no account below zero, not even one that all processes debit at once", async () => {
      await ledger.apply(topUp("a", 100n));
      await ledger.apply(group("earned", [transfer("earned", GATEWAY, merchantAccount("m"), 100n)]));
      await withThree(async (ledgers) => {
        const takes = (account: string) =>
          ledgers.flatMap((each, process) =>
            Array.from({ length: 60 }, (_, index) => {
              const id = `${account} ${process} ${index}`;
              return each.apply(group(id, [transfer(id, account, BANK, 3n)]));
            }),
          );
        const committed = async (outcomes: ReturnType<typeof takes>) =>
          (await Promise.all(outcomes)).filter(({ status }) => status === "committed").length;
        const counts = await Promise.all(
          [takes(readerAccount("r")), takes(merchantAccount("m"))].map(committed),
        );
        expect(counts).toEqual([33, 33]);
        expect(await ledger.balance(readerAccount("r"))).toBe(1n);
        expect(await ledger.balance(merchantAccount("m"))).toBe(1n);
      });
    });

    it("lets every process spend what another one brought in, to the last micro", async () => {
      await withThree(async (ledgers) => {
        for (let round = 0; round < 12; round++) {
          const [from = ledger, to = ledger] = [ledgers[round % 3], ledgers[(round + 1) % 3]];
          const earned = transfer(`earned ${round}`, GATEWAY, merchantAccount("m"), 100n);
          const spent = transfer(`spent ${round}`, merchantAccount("m"), BANK, 100n);
          expect(await from.apply(group(`earned ${round}`, [earned]))).toMatchObject({ status: "committed" });
          expect(await to.apply(group(`spent ${round}`, [spent]))).toMatchObject({ status: "committed" });
        }
        expect(await ledger.balance(merchantAccount("m"))).toBe(0n);
      });
    });

    it("holds a limit when three processes race to reach it", async () => {
      const guards: Guard[] = [{ kind: "at_most", account: "topped_up:r:day", amount: micros(100n) }];
      await withThree(async (ledgers) => {
        const outcomes = await Promise.all(
          ledgers.flatMap((each, process) =>
            Array.from({ length: 40 }, (_, index) => {
              const id = `${process} ${index}`;
              return each.apply({ ...group(id, [transfer(id, CONTROL, "topped_up:r:day", 3n)]), guards });
            }),
          ),
        );
        expect(outcomes.filter(({ status }) => status === "committed")).toHaveLength(33);
        expect(await ledger.balance("topped_up:r:day")).toBe(99n);
      });
    });

    it("commits nothing under the condition that a record is absent once another process wrote it", async () => {
      await ledger.apply(group("earned", [transfer("earned", GATEWAY, merchantAccount("m"), 10_000n)]));
      await withThree(async ([closer = ledger, ...refunders]) => {
        const refunds = refunders.flatMap((each, process) =>
          Array.from({ length: 200 }, async (_, index) => {
            await new Promise((resolve) => setTimeout(resolve, index % 20));
            const id = `refund ${process} ${index}`;
            const refund = { ...transfer(id, merchantAccount("m"), BANK, 1n), code: "refund" as const };
            return each.apply({
              ...group(id, [refund]),
              guards: [{ kind: "absent", key: "closing:m:1" }],
            });
          }),
        );
        await new Promise((resolve) => setTimeout(resolve, 5));
        await closer.apply(group("close", [], [{ key: "closing:m:1", value: "{}" }]));
        // What was refunded is fixed as soon as the closing is answered: a refund that comes after it would be paid out twice.
        const refunded = await closer.balance(BANK);
        const outcomes = await Promise.all(refunds);
        expect(BigInt(outcomes.filter(({ status }) => status === "committed").length)).toBe(refunded);
        expect(await ledger.balance(BANK)).toBe(refunded);
      });
    });

    it("never lists a transfer before one that has an earlier place, however many processes write", async () => {
      await withThree(async ([reader = ledger, ...writers]) => {
        let isWriting = true;
        const writing = Promise.all(
          writers.flatMap((each, process) =>
            Array.from({ length: 8 }, async (_, caller) => {
              for (let index = 0; index < 40; index++) {
                now += 1;
                await each.apply(topUp(`${process} ${caller} ${index}`, 1n));
              }
            }),
          ),
        ).finally(() => {
          isWriting = false;
        });
        const seen: number[] = [];
        const times: number[] = [];
        const readOn = async () => {
          const page = await reader.transfers({
            account: GATEWAY,
            side: "debit",
            afterSequence: seen.at(-1) ?? 0,
            limit: 10_000,
          });
          seen.push(...page.map(({ sequence }) => sequence));
          times.push(...page.map(({ timestamp }) => timestamp));
        };
        while (isWriting) {
          await readOn();
          await new Promise((resolve) => setImmediate(resolve));
        }
        await writing;
        await readOn();
        expect(seen).toHaveLength(640);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
      });
    });

    it("tells in its audit when somebody changed a balance, and lets nobody change a transfer", async () => {
      await ledger.apply(topUp("a", 5n));
      isTamperedWith = true;
      await expect(database.execute("UPDATE ledger_transfers SET amount = 9")).rejects.toThrow("append-only");
      await expect(database.execute("DELETE FROM ledger_transfers")).rejects.toThrow("append-only");
      await database.execute(
        databases.kind === "sqlite"
          ? "UPDATE ledger_accounts SET credits = credits + 1 WHERE name = 'reader:r'"
          : "UPDATE ledger_balances SET credits = credits + 1 WHERE account = (SELECT number FROM ledger_accounts WHERE name = 'reader:r')",
      );
      expect((await ledger.audit()).differences).toEqual([
        "reader:r: its transfers say 5, its row says 6",
        "the balances add up to 1, not to zero",
      ]);
    });

    it("tells in its audit when coins came from nowhere", async () => {
      isTamperedWith = true;
      await ledger.apply(group("w", [{ ...transfer("w", GATEWAY, FLOAT, 5n), code: "withdraw" }]));
      expect((await ledger.audit()).differences).toEqual([
        `${FLOAT}: 5 went into it, coins for 0 were issued`,
      ]);
    });

    function startWriter(name: string, most?: number): ChildProcessWithoutNullStreams {
      const script = join(import.meta.dirname, "ledger-writer.ts");
      return spawn(process.execPath, [
        script,
        database.address,
        name,
        ...(most === undefined ? [] : [`${most}`]),
      ]);
    }

    /** Ledgers that know nothing of each other, as those of three processes. */
    async function withThree(use: (ledgers: Ledger[]) => Promise<void>): Promise<void> {
      const ledgers = [open(), open(), open()];
      try {
        await use(ledgers);
      } finally {
        for (const each of ledgers) await each.close();
      }
    }

    /** Coins of 100 each, withdrawn by a reader. */
    async function stock(coins: readonly string[]): Promise<void> {
      const total = 100n * BigInt(coins.length);
      await ledger.apply(topUp("stock", total));
      await ledger.apply(
        group(
          "stock withdraw",
          [{ ...transfer("stock withdraw", readerAccount("r"), FLOAT, total), code: "withdraw" }],
          [output("stock", total)],
        ),
      );
    }
  });
}

interface PayOptions {
  readonly amount?: bigint;
  readonly from?: bigint;
  readonly output?: string;
  readonly guards?: readonly Guard[];
  readonly extra?: readonly Transfer[];
}

/** Coins of 100 into clearing, the amount to the merchant, the rest back into the float. */
function pay(id: string, coins: readonly string[], options: PayOptions = {}): Group {
  const { amount = 100n, from = 100n, output: blinded = `change-${id}`, guards = [], extra = [] } = options;
  const change = from - amount;
  const transfers: Transfer[] = [
    ...coins.map(
      (coin): Transfer => ({
        id: coinTransferId(coin),
        debit: FLOAT,
        credit: PAYMENT_CLEARING,
        amount: micros(100n),
        code: "payment",
        reference: id,
      }),
    ),
    transfer(`${id} merchant`, PAYMENT_CLEARING, merchantAccount("m"), amount),
    ...(change > 0n ? [transfer(`${id} change`, PAYMENT_CLEARING, FLOAT, change)] : []),
    ...extra,
  ];
  return {
    id: deriveId("pay", id),
    fingerprint: `pay ${id}`,
    transfers,
    records: change > 0n ? [output(blinded, change)] : [],
    guards,
  };
}

function output(blinded: string, amount: bigint): LedgerRecord {
  return {
    key: outputRecordKey(blinded),
    value: writeOutputRecord({ amount: micros(amount), keysetId: KEYSET, reference: "test" }),
  };
}

function topUp(id: string, amount: bigint, records: readonly LedgerRecord[] = []): Group {
  return {
    id: deriveId("top-up", id),
    fingerprint: `top-up ${amount}`,
    transfers: [
      { ...transfer(`top-up ${id}`, GATEWAY, readerAccount("r"), amount), code: "top_up", reference: id },
    ],
    records,
  };
}

function group(id: string, transfers: readonly Transfer[], records: readonly LedgerRecord[] = []): Group {
  return { id: deriveId("group", id), fingerprint: id, transfers, records };
}

function transfer(id: string, debit: string, credit: string, amount: bigint): Transfer {
  return {
    id: deriveId("transfer", id),
    debit,
    credit,
    amount: micros(amount),
    code: "payment",
    reference: id,
  };
}

async function finish(writer: ChildProcessWithoutNullStreams): Promise<number | null> {
  writer.stdout.resume();
  writer.stderr.pipe(process.stderr);
  const [code] = await once(writer, "exit");
  return typeof code === "number" ? code : null;
}

/** Another order each time, so that whoever locks in the order of arrival waits in a circle sooner or later. */
function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}
