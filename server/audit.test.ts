/** The audit on copies of a good database, each damaged in another way; and on a good one while payments go on. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openShop, paid, REFUND_WINDOW_SECONDS, type Shop } from "../test/support/shop.ts";
import { auditProvider } from "./audit.ts";
import { createDeps } from "./deps.ts";
import { createLogger } from "./log.ts";
import { paymentGroupId } from "./payments/index.ts";
import { settleAll } from "./settlement/index.ts";

let shop: Shop;
let refundedId: string;
let paidId: string;
const folders: string[] = [];

beforeAll(async () => {
  shop = await openShop();
  await shop.pay(shop.offer({ amount: 200_000n }), [200_000]);
  shop.clock.now += REFUND_WINDOW_SECONDS * 1_000;
  await settleAll(shop.deps, { now: shop.clock.now });
  const refunded = await shop.pay();
  await shop.refund(refunded);
  refundedId = refunded.payment.paymentId;
  const withChange = await shop.pay(shop.offer({ amount: 30_000n }), [50_000], 12);
  expect(paid(withChange.answer).change).toHaveLength(1);
  paidId = withChange.payment.paymentId;
});
afterAll(async () => {
  await shop.close();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** What the audit finds after this was done to a copy. */
async function auditAfter(damage: (database: DatabaseSync) => void): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "tuppence-damaged-"));
  folders.push(folder);
  const path = join(folder, "tuppence.sqlite");
  cpSync(join(shop.dataFolder, "secrets"), join(folder, "secrets"), { recursive: true });
  cpSync(join(shop.dataFolder, "keysets.json"), join(folder, "keysets.json"));
  const source = new DatabaseSync(join(shop.dataFolder, "tuppence.sqlite"));
  source.prepare("VACUUM INTO ?").run(path);
  source.close();
  const database = new DatabaseSync(path);
  // Whoever damages a database does not stop at its triggers.
  database.exec("DROP TRIGGER ledger_transfers_are_final; DROP TRIGGER ledger_transfers_stay");
  damage(database);
  database.close();
  const config = { ...shop.deps.config, dataFolder: folder };
  const deps = await createDeps(config, { now: () => shop.clock.now, logger: createLogger("silent") });
  const { differences } = await auditProvider(deps);
  await deps.close();
  return differences;
}

const sql = (text: string) => (database: DatabaseSync) => {
  const { changes } = database.prepare(text).run();
  expect(changes).toBe(1);
};

it("finds nothing in a copy that nobody touched", async () => {
  expect(await auditAfter(() => undefined)).toEqual([]);
});

it("finds a transfer whose amount was changed", async () => {
  expect(
    await auditAfter(sql("UPDATE ledger_transfers SET amount = amount + 1 WHERE code = 'fee'")),
  ).toContainEqual(expect.stringMatching(/^merchant:the-lantern: its transfers say .*, its row says/));
});

it("finds that a transfer was deleted", async () => {
  expect(await auditAfter(sql("DELETE FROM ledger_transfers WHERE code = 'refund'"))).toContainEqual(
    expect.stringMatching(/^float:.*: its transfers say .*, its row says/),
  );
});

it("finds a balance that was changed, even if another was changed to match", async () => {
  const found = await auditAfter((database) => {
    sql("UPDATE ledger_accounts SET credits = credits + 1000 WHERE name = 'merchant:the-lantern'")(database);
    sql("UPDATE ledger_accounts SET debits = debits + 1000 WHERE name = 'revenue'")(database);
  });
  expect(found).toContainEqual(expect.stringMatching(/^merchant:the-lantern: its transfers say/));
  expect(found).toContainEqual(expect.stringMatching(/^revenue: its transfers say/));
});

it("finds an output that is recorded as signed and was paid for by nobody", async () => {
  const found = await auditAfter(
    sql(`INSERT INTO ledger_records (key, value, group_number)
         SELECT 'output:02' || hex(randomblob(32)), value, group_number FROM ledger_records WHERE key LIKE 'output:%' LIMIT 1`),
  );
  expect(found).toContainEqual(expect.stringMatching(/^float:.* went into it, coins for .* were issued$/));
});

it("finds an output of a keyset for which no money ever came", async () => {
  const keyset = "00ffffffffffffff";
  const found = await auditAfter(
    sql(`INSERT INTO ledger_records (key, value, group_number)
         SELECT 'output:02' || hex(randomblob(32)), json_set(value, '$.keysetId', '${keyset}', '$.amount', '1000'), group_number
         FROM ledger_records WHERE key LIKE 'output:%' LIMIT 1`),
  );
  expect(found).toContain(`float:${keyset}: 0 went into it, coins for 1000 were issued`);
});

it("finds a second charge for one payment, though every balance agrees with it", async () => {
  const found = await auditAfter((database) => {
    database.exec(`
      INSERT INTO ledger_groups (id, fingerprint, timestamp) SELECT randomblob(16), 'forged', timestamp FROM ledger_clock;
      INSERT INTO ledger_transfers (id, group_number, debit, credit, amount, code, reference, timestamp)
        SELECT randomblob(16), (SELECT number FROM ledger_groups WHERE fingerprint = 'forged'),
          (SELECT number FROM ledger_accounts WHERE name LIKE 'gateway_clearing%'), credit, amount, code, reference, (SELECT timestamp FROM ledger_clock)
        FROM ledger_transfers WHERE reference = '${paidId}' AND code = 'payment' AND credit = (SELECT number FROM ledger_accounts WHERE name = 'merchant:the-lantern');
      UPDATE ledger_accounts SET debits = debits + 30000 WHERE name LIKE 'gateway_clearing%';
      UPDATE ledger_accounts SET credits = credits + 30000 WHERE name = 'merchant:the-lantern'`);
  });
  expect(found).toContainEqual(expect.stringContaining(`payment ${paidId}: charged 30000 once more`));
});

it("finds a refund that is recorded and never came back, and one that came back and is not recorded", async () => {
  expect(
    await auditAfter(
      sql(`UPDATE ledger_records SET key = 'refund:${paidId}' WHERE key = 'refund:${refundedId}'`),
    ),
  ).toEqual(
    expect.arrayContaining([
      `payment ${refundedId}: refunded without a record`,
      `payment ${paidId}: recorded as refunded, and nothing came back`,
    ]),
  );
});

it("finds a record that was changed after the payment", async () => {
  const change = `UPDATE ledger_groups SET memo = json_set(memo, '$.amount', '29000') WHERE id = unhex('${paymentGroupId(paidId)}')`;
  expect(await auditAfter(sql(change))).toContainEqual(
    `payment ${paidId}: charged 30000, its record says 29000`,
  );
});

it("finds a payment that could be paid out before its window closes", async () => {
  const found = await auditAfter(
    sql(
      `UPDATE ledger_transfers SET matures_at = matures_at - 1000 WHERE reference = '${paidId}' AND matures_at > 0`,
    ),
  );
  expect(found).toContainEqual(expect.stringMatching(new RegExp(`^payment ${paidId}: matures .*otherwise$`)));
});

it("finds no difference while payments, refunds and settlements go on", async () => {
  let isOver = false;
  const traffic = async (): Promise<void> => {
    for (let count = 0; !isOver; count++) {
      const made = await shop.pay(shop.offer({ resource: `https://lantern.example/live-${count}` }));
      if (count % 3 === 0) await shop.refund(made);
      if (count % 5 === 0) {
        shop.clock.now += REFUND_WINDOW_SECONDS * 1_000;
        await settleAll(shop.deps, { now: shop.clock.now });
      }
    }
  };
  const running = traffic();
  for (let audits = 0; audits < 20; audits++)
    expect((await auditProvider(shop.deps)).differences).toEqual([]);
  isOver = true;
  await running;
  expect((await auditProvider(shop.deps)).differences).toEqual([]);
});
