import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dayOf, monthOf } from "../../shared/calendar.ts";
import { micros } from "../../shared/money.ts";
import type { UiRequestOf } from "../../shared/protocol/ui.ts";
import { countOut, spentIn } from "./spending.ts";
import { makeTestWallet, offerOf, SITE, senderAt, type TestWallet } from "./testing.ts";

const COINS = Array.from({ length: 40 }, (_, index) => (index < 30 ? 10_000 : 100_000));
const DAY_MS = 86_400_000;

const ZONE = process.env.TZ;
beforeEach(() => {
  process.env.TZ = "America/New_York";
});
afterEach(() => {
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
});

describe("a site's allowance", () => {
  it("asks about the payment that would pass a limit, and says which one, and what is left of it", async () => {
    const reader = await readerWith({ perPayment: 30_000, perDay: 60_000, perMonth: 100_000 });
    await unasked(reader, 30_000);
    await asked(reader, 40_000, { of: "site_payment", limit: "30000", left: "30000" });
    await unasked(reader, 20_000);
    await asked(reader, 20_000, { of: "site_day", limit: "60000", left: "10000" });
    reader.clock.nowMs += DAY_MS;
    await unasked(reader, 30_000);
    await unasked(reader, 20_000);
    expect(await left(reader)).toEqual({ site_payment: "30000", site_day: "10000", site_month: "0" });
    reader.clock.nowMs += DAY_MS;
    await asked(reader, 10_000, { of: "site_month", limit: "100000", left: "0" });
  });
  it("renews at midnight of the reader's clock and on the first of the month, not after so many hours", async () => {
    const reader = await readerWith({ perDay: 30_000, perMonth: 50_000 }, "2026-10-31T23:59:00-04:00");
    await unasked(reader, 30_000);
    await asked(reader, 10_000, { of: "site_day", limit: "30000", left: "0" });
    reader.clock.nowMs = Date.parse("2026-11-01T00:00:00-04:00");
    expect(await left(reader)).toEqual({ site_day: "30000", site_month: "50000" });
    await unasked(reader, 30_000);
    // The longest day of that year there: 25 hours, and still the same day.
    reader.clock.nowMs = Date.parse("2026-11-01T23:59:59-05:00");
    await asked(reader, 10_000, { of: "site_day", limit: "30000", left: "0" });
    reader.clock.nowMs = Date.parse("2026-11-02T00:00:00-05:00");
    await unasked(reader, 20_000);
    await asked(reader, 10_000, { of: "site_month", limit: "50000", left: "0" });
  });
  it("is not renewed by a clock that is set back, nor by a journey across time zones", async () => {
    const reader = await readerWith({ perDay: 20_000, perMonth: 30_000 }, "2026-11-30T22:00:00-05:00");
    await unasked(reader, 20_000);
    // The next day, and month, in Tokyo; and back.
    process.env.TZ = "Asia/Tokyo";
    await unasked(reader, 20_000);
    process.env.TZ = "America/New_York";
    await asked(reader, 10_000, { of: "site_day", limit: "20000", left: "0" });
    reader.clock.nowMs += 2 * DAY_MS;
    await unasked(reader, 10_000);
    reader.clock.nowMs -= 2 * DAY_MS;
    await asked(reader, 10_000, { of: "site_day", limit: "20000", left: "0" });
  });
  it("is not reduced by what the reader approves by themselves", async () => {
    const reader = await readerWith({ perMonth: 30_000 });
    await approved(reader, 40_000);
    expect(await left(reader)).toEqual({ site_month: "30000" });
  });
  it("keeps a day and a payment's limit when the reader agrees to another month's", async () => {
    const reader = await readerWith({ perPayment: 20_000, perDay: 20_000, perMonth: 20_000 });
    await unasked(reader, 20_000);
    await approved(reader, 10_000, { allowance: micros(50_000) });
    expect(await left(reader)).toEqual({ site_payment: "20000", site_day: "0", site_month: "30000" });
  });
  it("has an end, and is for a site that the reader knows", async () => {
    const reader = await makeTestWallet(COINS);
    const set = (changes: object) =>
      reader.wallet.setAllowance({ ...allowance({ perMonth: 20_000 }), ...changes });
    await expect(set({})).rejects.toMatchObject({ code: "not_found" });
    await approved(reader, 10_000);
    await expect(set({ perMonth: null, perPayment: micros(10_000) })).rejects.toMatchObject({
      code: "request_invalid",
    });
    await set({});
    await unasked(reader, 20_000);
  });
});

describe("the monthly limit", () => {
  it("holds for everything, asked about or not, at all sites, tips too", async () => {
    const reader = await readerWith({ perPayment: 30_000, perMonth: 500_000 });
    await limitMonth(reader, 110_000);
    // The first payment, of 10,000, made the site known.
    await unasked(reader, 30_000);
    await approved(reader, 40_000);
    await tip(reader, 10_000);
    expect((await reader.wallet.snapshot()).month).toEqual({
      spent: "90000",
      budget: { of: "month", limit: "110000", left: "20000" },
    });
    await asked(reader, 30_000, { of: "month", limit: "110000", left: "20000" });
    await unasked(reader, 20_000);
    await asked(reader, 10_000, { of: "month", limit: "110000", left: "0" });
    reader.clock.nowMs += 31 * DAY_MS;
    await unasked(reader, 10_000);
  });
  it("is gone beyond only where the reader agrees to that in so many words", async () => {
    const reader = await makeTestWallet(COINS);
    await limitMonth(reader, 30_000);
    const payment = reader.ask(offer(50_000));
    await prompted(reader, 1);
    await expect(reader.decide(true)).rejects.toMatchObject({ code: "over_monthly_limit" });
    expect(reader.provider.settled).toEqual([]);
    expect((await reader.wallet.snapshot()).approvals[0]).toMatchObject({
      state: "asking",
      reason: { of: "month", limit: "30000", left: "30000" },
    });
    await reader.decide(true, { beyondMonth: true });
    await payment;
    expect((await reader.wallet.snapshot()).month).toMatchObject({ spent: "50000", budget: { left: "0" } });
  });
  it("holds for two windows in which the reader agrees at once", async () => {
    const reader = await makeTestWallet(COINS);
    await limitMonth(reader, 50_000);
    const payments = [1, 2].map((tabId) => reader.ask(offer(30_000), { tabId }));
    await prompted(reader, 2);
    const answers = await Promise.allSettled(
      reader.prompts.map(({ approvalId }) =>
        reader.wallet.decide({ kind: "ui", type: "decide", approvalId, approve: true }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await Promise.race(payments);
    expect(reader.provider.settled).toHaveLength(1);
    expect((await reader.wallet.snapshot()).month.spent).toBe("30000");
  });
  it("counts what was agreed to in the month of the agreement, though it is paid in the next", async () => {
    const reader = await readerWith({ perMonth: 500_000 }, "2026-10-31T23:59:59-04:00");
    const before = (await reader.wallet.snapshot()).month.spent;
    const payment = reader.ask(offer(600_000));
    await prompted(reader, 2);
    // What is agreed to is paid a moment later.
    const agreed = reader.decide(true);
    reader.clock.nowMs += 5_000;
    await Promise.all([agreed, payment]);
    const rows = await reader.store.read((tables) => tables.payments.all());
    expect(new Set(rows.map(({ day }) => monthOf(day)))).toEqual(new Set(["2026-10"]));
    expect((await reader.wallet.snapshot()).month.spent).toBe("0");
    const october = await reader.store.read((tables) => spentIn(tables, "2026-10"));
    expect(october.spent).toBe(BigInt(before) + 600_000n);
  });
  it("still counts what was spent at a site that the reader had the wallet forget", async () => {
    const reader = await readerWith({ perMonth: 500_000 });
    await limitMonth(reader, 50_000);
    await unasked(reader, 40_000);
    await reader.wallet.forgetSite({ kind: "ui", type: "forgetSite", origin: SITE });
    await asked(reader, 10_000, { of: "month", limit: "50000", left: "0" });
    const month = monthOf(dayOf(reader.clock.nowMs));
    const rows = await reader.store.read((tables) => tables.spending.where("period", month));
    expect(
      rows.map(({ origin }) => origin),
      "the site is in no row",
    ).toEqual([""]);
  });
});

describe("a paused wallet", () => {
  it("pays nobody and asks nothing, and says so only to a page that was clicked on", async () => {
    const reader = await readerWith({ perMonth: 500_000 });
    const [prompts, settled] = [reader.prompts.length, reader.provider.settled.length];
    await pause(reader, true);
    await expect(reader.ask(offer(10_000))).rejects.toMatchObject({ code: "wallet_paused" });
    await expect(reader.ask(offer(900_000))).rejects.toMatchObject({ code: "wallet_paused" });
    await expect(tipOf(reader, 10_000)).rejects.toMatchObject({ code: "wallet_paused" });
    await expect(reader.ask(offer(10_000), { clicked: false })).rejects.toMatchObject({
      code: "click_required",
    });
    expect(reader.prompts).toHaveLength(prompts);
    expect(reader.provider.settled).toHaveLength(settled);
    expect((await reader.wallet.snapshot()).paused).toBe(true);
    await pause(reader, false);
    await unasked(reader, 10_000);
  });
  it("opens what was bought", async () => {
    const reader = await makeTestWallet(COINS);
    const bought = offer(10_000);
    await approved(reader, bought);
    await pause(reader, true);
    expect(await reader.ask(bought)).toMatchObject({ receipt: expect.any(String) });
    const payload = { merchant: "the-lantern", resource: bought.resource.url, challenge: "0123456789abcdef" };
    expect(
      await reader.wallet.page(
        { v: 1, id: "entitlement-1", type: "entitlement", payload },
        senderAt({ clicked: false }),
      ),
    ).toMatchObject({ receipt: expect.any(String) });
  });
  it("takes no yes to a question that stood open before, and keeps the question", async () => {
    const reader = await makeTestWallet(COINS);
    const payment = reader.ask(offer(10_000));
    await prompted(reader, 1);
    await pause(reader, true);
    await expect(reader.decide(true)).rejects.toMatchObject({ code: "wallet_paused" });
    expect(reader.provider.settled).toEqual([]);
    await pause(reader, false);
    await reader.decide(true);
    await expect(payment).resolves.toBeDefined();
  });
});

it("gives money back to the reader although its row says that less was spent", async () => {
  const reader = await makeTestWallet(COINS);
  const day = dayOf(reader.clock.nowMs);
  const payment = { amount: micros(10_000), day, origin: SITE, fromAllowance: true };
  await reader.store.transaction((tables) => countOut(tables, payment));
  const nothing = { spent: 0n, unasked: 0n, payments: 0 };
  expect(await reader.store.read((tables) => spentIn(tables, day, SITE))).toMatchObject(nothing);
});

/** With an allowance for the site, which was paid 10,000 before. */
async function readerWith(limits: Limits, at?: string): Promise<TestWallet> {
  const reader = await makeTestWallet(COINS);
  if (at !== undefined) reader.clock.nowMs = Date.parse(at);
  await approved(reader, 10_000);
  await reader.wallet.setAllowance(allowance(limits));
  return reader;
}

interface Limits {
  readonly perPayment?: number;
  readonly perDay?: number;
  readonly perMonth?: number;
}

function allowance(limits: Limits): UiRequestOf<"setAllowance"> {
  const limit = (amount: number | undefined) => (amount === undefined ? null : micros(amount));
  return {
    kind: "ui",
    type: "setAllowance",
    origin: SITE,
    perPayment: limit(limits.perPayment),
    perDay: limit(limits.perDay),
    perMonth: limit(limits.perMonth),
  };
}

let articles = 0;
function offer(amount: number) {
  return offerOf({ resource: `${SITE}/${++articles}`, amount: BigInt(amount) });
}

async function unasked(reader: TestWallet, amount: number): Promise<void> {
  const prompts = reader.prompts.length;
  await reader.ask(offer(amount));
  expect(reader.prompts).toHaveLength(prompts);
}

/** Asked about, for this reason, and not agreed to. */
async function asked(reader: TestWallet, amount: number, reason: object): Promise<void> {
  const prompts = reader.prompts.length;
  const payment = reader.ask(offer(amount));
  await prompted(reader, prompts + 1);
  const { approvals } = await reader.wallet.snapshot();
  const question = approvals.find(({ id }) => id === reader.prompts.at(-1)?.approvalId);
  expect(question).toMatchObject({ state: "asking", reason });
  await reader.decide(false);
  await expect(payment).rejects.toMatchObject({ code: "declined" });
  await reader.store.transaction(async (tables) =>
    tables.pauses.removeAll((await tables.pauses.all()).map(({ key }) => key)),
  );
}

async function approved(
  reader: TestWallet,
  what: number | ReturnType<typeof offer>,
  changes: Parameters<TestWallet["decide"]>[1] = {},
): Promise<void> {
  const payment = reader.ask(typeof what === "number" ? offer(what) : what);
  await prompted(reader, reader.prompts.length + 1);
  await reader.decide(true, changes);
  await payment;
}

async function tip(reader: TestWallet, amount: number): Promise<void> {
  const payment = tipOf(reader, amount);
  await prompted(reader, reader.prompts.length + 1);
  await reader.decide(true);
  await payment;
}

function tipOf(reader: TestWallet, amount: number) {
  const jar = offerOf({ kind: "tip", resource: `${SITE}/`, amount: BigInt(amount) });
  const payload = { offer: { ...jar }, least: "10000", most: "500000" };
  return reader.wallet.page({ v: 1, id: `tip-${++articles}-000000`, type: "tip", payload }, senderAt());
}

function limitMonth(reader: TestWallet, limit: number): Promise<void> {
  return reader.wallet.setMonthlyLimit({ kind: "ui", type: "setMonthlyLimit", limit: micros(limit) });
}

function pause(reader: TestWallet, paused: boolean): Promise<void> {
  return reader.wallet.setPaused({ kind: "ui", type: "setPaused", paused });
}

async function left(reader: TestWallet): Promise<Record<string, string>> {
  const { allowances } = await reader.wallet.snapshot();
  return Object.fromEntries(allowances[0]?.budgets.map((budget) => [budget.of, budget.left]) ?? []);
}

async function prompted(reader: TestWallet, count: number): Promise<void> {
  while (reader.prompts.length < count) await new Promise((resolve) => setImmediate(resolve));
}
