import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dayOf } from "../../shared/calendar.ts";
import { micros } from "../../shared/money.ts";
import type { HistoryPlace, UiRequestOf } from "../../shared/protocol/ui.ts";
import type { PaymentRow } from "./rows.ts";
import { recount } from "./spending.ts";
import { makeTestWallet, offerOf, type TestWallet } from "./testing.ts";

const NOON = Date.parse("2026-11-15T12:00:00-05:00");
const DAY_MS = 86_400_000;
const SITES = ["https://lantern.example", "https://harbour.example", "https://cafe.example"] as const;

const ZONE = process.env.TZ;
beforeEach(() => {
  process.env.TZ = "America/New_York";
});
afterEach(() => {
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
});

describe("the history", () => {
  it("shows every payment once, newest first, however many stand at one moment", async () => {
    // Seven at each moment, so that pages end in the middle of one.
    const reader = await readerWith(400, (index) => ({ at: NOON - Math.floor(index / 7) * 1_000 }));
    const pages = await readAll(reader, {});
    expect(pages.length).toBeGreaterThan(7);
    expect(pages.every(({ payments }) => payments.length <= 50)).toBe(true);
    const payments = pages.flatMap((page) => page.payments);
    expect(new Set(payments.map(({ id }) => id)).size).toBe(400);
    expect(payments.map(({ at }) => at)).toEqual(payments.map(({ at }) => at).toSorted((a, b) => b - a));
    expect(pages[0]).toMatchObject({ total: null, looked: 50 });
  });
  it("leaves none out, and shows none twice, where new ones come meanwhile", async () => {
    const reader = await readerWith(120, (index) => ({ at: NOON - index * 1_000 }));
    const first = await reader.wallet.history(query({}));
    await put(reader, [rowOf(999, { at: NOON + 1_000 })]);
    const rest = await readAll(reader, {}, first.next);
    const ids = [first, ...rest].flatMap(({ payments }) => payments.map(({ id }) => id));
    expect(ids).toHaveLength(120);
    expect(new Set(ids).size).toBe(120);
  });
  it("is that of a day, a month, a site, a state, or tips alone, and of several of these at once", async () => {
    const reader = await readerWith(300, (index) => ({
      at: NOON - index * (DAY_MS / 4),
      origin: SITES[index % 3] ?? "",
      state: index % 10 === 0 ? "refunded" : "paid",
      kind: index % 6 === 0 ? "tip" : "article",
    }));
    const rows = await reader.store.read((tables) => tables.payments.all());
    const expectRows = async (asked: Query, isIt: (row: PaymentRow) => boolean): Promise<void> => {
      const found = (await readAll(reader, asked)).flatMap((page) => page.payments);
      const expected = rows.filter(isIt).map(({ id }) => id);
      expect(found.map(({ id }) => id).sort()).toEqual(expected.sort());
      expect(expected.length, JSON.stringify(asked)).toBeGreaterThan(0);
    };
    await expectRows({ period: "2026-11-10" }, ({ at }) => dayOf(at) === "2026-11-10");
    await expectRows({ period: "2026-10" }, ({ at }) => dayOf(at).startsWith("2026-10"));
    await expectRows({ period: "2026" }, ({ at }) => dayOf(at).startsWith("2026"));
    await expectRows({ site: SITES[1] }, ({ origin }) => origin === SITES[1]);
    await expectRows({ state: "refunded" }, ({ state }) => state === "refunded");
    await expectRows({ paymentKind: "tip" }, ({ order }) => order.kind === "tip");
    await expectRows(
      { period: "2026-10", site: SITES[0], state: "paid" },
      ({ at, origin, state }) => dayOf(at).startsWith("2026-10") && origin === SITES[0] && state === "paid",
    );
    expect((await reader.wallet.history(query({ period: "2019-01" }))).payments).toEqual([]);
  });
  it("is searched by all words, whatever their case and accents, in title, merchant and site", async () => {
    const titles = ["Café on the quay", "The CAFE that closed", "Fog", "Ein Fährmann erzählt"];
    const reader = await readerWith(titles.length, (index) => ({
      title: titles[index] ?? "",
      at: NOON - index,
    }));
    const found = async (search: string) =>
      (await readAll(reader, { search })).flatMap(({ payments }) => payments.map(({ title }) => title));
    expect(await found("café")).toEqual([titles[0], titles[1]]);
    expect(await found("cafe  QUAY ")).toEqual([titles[0]]);
    expect(await found("fahrmann")).toEqual([titles[3]]);
    expect(await found("lantern.example fog")).toEqual([titles[2]]);
    expect(await found("nothing like it")).toEqual([]);
  });
  it("looks for what is rare in pieces, says how far it came, and comes to the end", async () => {
    const reader = await readerWith(2_500, (index) => ({
      at: NOON - index * 1_000,
      title: index === 2_400 ? "The needle" : "Hay",
    }));
    const pages = await readAll(reader, { search: "needle" });
    expect(pages.flatMap(({ payments }) => payments).map(({ title }) => title)).toEqual(["The needle"]);
    expect(pages.map(({ looked }) => looked)).toEqual([1_000, 1_000, 500]);
    expect(pages.map(({ total }) => total)).toEqual([2_500, null, null]);
  });
});

describe("what was spent", () => {
  it("is by day and site what the payments come to, without what came back", async () => {
    const reader = await readerWith(200, (index) => ({
      at: NOON - index * (DAY_MS / 3),
      origin: SITES[index % 3] ?? "",
      state: index % 7 === 0 ? "refunded" : index % 11 === 0 ? "failed" : "paid",
      amount: micros(10_000 * ((index % 5) + 1)),
    }));
    await reader.store.transaction(recount);
    const rows = (await reader.store.read((tables) => tables.payments.all())).filter(
      ({ state }) => state === "paid",
    );
    const sum = (isIt: (row: PaymentRow) => boolean): string =>
      rows
        .filter(isIt)
        .reduce((total, { amount }) => total + amount, 0n)
        .toString();
    const month = await spending(reader, { period: "2026-11" });
    expect(month.over).toHaveLength(30);
    for (const { period, spent } of month.over) expect(spent).toBe(sum(({ at }) => dayOf(at) === period));
    expect(month.spent).toBe(sum(({ at }) => dayOf(at).startsWith("2026-11")));
    for (const { origin, spent } of month.sites)
      expect(spent).toBe(sum((row) => row.origin === origin && dayOf(row.at).startsWith("2026-11")));
    expect(month.sites.map(({ spent }) => BigInt(spent))).toEqual(
      month.sites.map(({ spent }) => BigInt(spent)).toSorted((a, b) => (a > b ? -1 : 1)),
    );
    const year = await spending(reader, { period: "2026", site: SITES[2] });
    expect(year.over).toHaveLength(12);
    expect(year.spent).toBe(sum(({ origin }) => origin === SITES[2]));
    expect(year.first).toBe(dayOf(Math.min(...rows.map(({ at }) => at))).slice(0, 7));
  });
});

describe("a payment", () => {
  it("comes with its receipt, and with what that says", async () => {
    const reader = await makeTestWallet();
    const asked = reader.ask(offerOf({ title: "Tide mills" }));
    while (reader.prompts.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await reader.decide(true);
    await asked;
    const [payment] = (await reader.wallet.snapshot()).payments;
    const found = await reader.wallet.payment({ kind: "ui", type: "payment", paymentId: payment?.id ?? "" });
    expect(found).toMatchObject({
      payment: { title: "Tide mills", state: "paid", unopened: false },
      unasked: false,
      refundWindowSeconds: 3_600,
      receipt: {
        merchant: "the-lantern",
        amount: "50000",
        currency: "USD",
        resource: "https://lantern.example/article",
      },
    });
    const { payments, next, total } = await reader.wallet.exportHistory({
      kind: "ui",
      type: "exportHistory",
    });
    expect(payments).toMatchObject([{ id: payment?.id, receipt: found.receipt?.token }]);
    expect([next, total]).toEqual([null, 1]);
  });
  it("is exported once, in pieces, however many there are", async () => {
    const reader = await readerWith(1_200, (index) => ({ at: NOON - Math.floor(index / 3) }));
    const ids: string[] = [];
    let after: HistoryPlace | undefined;
    let pieces = 0;
    do {
      const piece = await reader.wallet.exportHistory({ kind: "ui", type: "exportHistory", after });
      ids.push(...piece.payments.map(({ id }) => id));
      after = piece.next ?? undefined;
      pieces += 1;
    } while (after !== undefined);
    expect([ids.length, new Set(ids).size, pieces]).toEqual([1_200, 1_200, 3]);
  });
});

type Query = Omit<UiRequestOf<"history">, "kind" | "type">;
type Changes = Partial<Pick<PaymentRow, "at" | "origin" | "state" | "amount">> & {
  readonly title?: string;
  readonly kind?: "article" | "tip";
};

function query(asked: Query): UiRequestOf<"history"> {
  return { kind: "ui", type: "history", ...asked };
}

async function readAll(reader: TestWallet, asked: Query, from: HistoryPlace | null = null) {
  const pages = [];
  let after = from;
  do {
    const page = await reader.wallet.history(query({ ...asked, ...(after === null ? {} : { after }) }));
    pages.push(page);
    after = page.next;
  } while (after !== null);
  return pages;
}

function spending(reader: TestWallet, asked: { period: string; site?: string }) {
  return reader.wallet.spending({ kind: "ui", type: "spending", ...asked });
}

async function readerWith(count: number, changes: (index: number) => Changes): Promise<TestWallet> {
  const reader = await makeTestWallet();
  await put(
    reader,
    Array.from({ length: count }, (_, index) => rowOf(index, changes(index))),
  );
  return reader;
}

function put(reader: TestWallet, rows: readonly PaymentRow[]): Promise<void> {
  return reader.store.transaction((tables) => tables.payments.putAll(rows));
}

function rowOf(index: number, { title = "Tide mills", kind = "article", ...changes }: Changes): PaymentRow {
  const { at = NOON, origin = SITES[0], amount = micros(50_000), state = "paid" } = changes;
  const resourceUrl = `${origin}/${index}`;
  return {
    id: index.toString(16).padStart(32, "0"),
    counter: index,
    state,
    origin,
    resourceKey: `the-lantern ${resourceUrl}`,
    amount,
    at,
    day: dayOf(at),
    requestKey: `1 ${origin} ${index}`,
    approvalId: undefined,
    fromAllowance: false,
    order: {
      mode: "direct",
      kind,
      title,
      merchant: "the-lantern",
      merchantName: "The Lantern",
      origin,
      resourceUrl,
      acceptedJson: "{}",
      resourceJson: "{}",
      amount,
      least: amount,
      most: amount,
      refundWindowSeconds: 3_600,
      maxTimeoutSeconds: 60,
      seal: undefined,
      isPrivate: false,
    },
    body: "",
    paymentJson: "",
    expiresAt: at,
    coinSecrets: [],
    coinsValue: amount,
    blanks: undefined,
    change: "none",
    changeSignatures: undefined,
    attempts: 0,
    receipt: undefined,
    paidAtSeconds: Math.floor(at / 1_000),
    contentKey: undefined,
    contentKeySeal: undefined,
    refund: undefined,
    error: undefined,
    spentRetries: 0,
  };
}
