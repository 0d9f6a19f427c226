import { parse } from "valibot";
import { beforeAll, describe, expect, it } from "vitest";
import { micros } from "../../../../shared/money.ts";
import { RefundReason } from "../../../../shared/protocol/fields.ts";
import {
  type PaymentDetail,
  PaymentView,
  UiResults,
  WalletSnapshot,
} from "../../../../shared/protocol/ui.ts";
import { ENGLISH } from "../../fixtures/english.ts";
import { answerHistory, historyPayments } from "../../fixtures/history.ts";
import { payment, readySnapshot } from "../../fixtures/snapshots.ts";
import { errorText } from "../../shared/error-text.ts";
import { readRoute } from "../../shared/route.ts";
import { speak } from "../../shared/text.tsx";
import { addressOf, detail, historyDays, overview, placeOf, REASONS, withFirstPage } from "./state.ts";

const NOW = new Date(2026, 10, 23, 14, 32).getTime();
const SNAPSHOT = parse(WalletSnapshot, readySnapshot(NOW));
const SITE = "https://gazette.example";

beforeAll(() => speak(ENGLISH));

describe("the address", () => {
  it("leads back to where it was made", () => {
    const address = addressOf(place(), {
      period: "2025",
      site: SITE,
      state: "refunded",
      search: "fog & rain",
    });
    expect(placeOf(readRoute(address), NOW)).toEqual({
      period: "2025",
      day: null,
      site: SITE,
      state: "refunded",
      search: "fog & rain",
      paymentId: null,
    });
  });
  it.each([
    "#/spending?period=2026-13",
    "#/spending?period=all",
    "#/spending?day=today",
    "#/spending?site=gazette.example",
    "#/spending?site=https://gazette.example/path",
    "#/spending?state=stolen",
    "#/spending?period=%E0%A4%A",
  ])("that somebody made up is this month, and nothing else: %s", (hash) => {
    expect(placeOf(readRoute(hash), NOW)).toEqual(place());
  });
});

describe("a month", () => {
  it("has a bar for each day, whose heights are as the sums are, and a link only where something was paid", () => {
    const { bars, spent, top } = shown("#/spending");
    expect(bars).toHaveLength(30);
    expect(bars.reduce((sum, bar) => sum + bar.spent, 0n)).toBe(spent);
    expect(Math.max(...bars.map(({ height }) => height))).toBe(1_000);
    for (const bar of bars)
      expect(bar.height).toBe(bar.spent === 0n ? 0 : Number((bar.spent * 1_000n) / top));
  });
  it("leads to the one before as far as there are payments, and not into the future", () => {
    expect(shown("#/spending")).toMatchObject({ after: null, before: "#/spending?period=2026-10" });
    const january = parse(UiResults.spending, { ...spendingOf("2026-01"), first: "2025-06" });
    const { before } = overview({ ...place(), period: "2026-01" }, january, SNAPSHOT, NOW);
    expect(before).toBe("#/spending?period=2025-12");
    const first = parse(UiResults.spending, { ...spendingOf("2026-11"), first: "2026-11" });
    expect(overview(place(), first, SNAPSHOT, NOW).before).toBeNull();
  });
  it("does not lose what was spent at sites that were forgotten", () => {
    const spending = parse(UiResults.spending, spendingOf("2026-11"));
    const [gone, ...sites] = spending.sites;
    const { sites: rows } = overview(place(), { ...spending, sites }, SNAPSHOT, NOW);
    expect(rows.at(-1)).toMatchObject({ origin: null, address: null, spent: gone?.spent, width: 1_000 });
    expect(rows.reduce((sum, row) => sum + row.spent, 0n)).toBe(spending.spent);
  });
});

describe("the list", () => {
  it("is by day, and has each payment once", () => {
    const payments = historyPayments(NOW).map((row) => parse(PaymentView, row));
    const days = historyDays(payments);
    expect(new Set(days.map(({ day }) => day)).size).toBe(days.length);
    expect(days.flatMap(({ rows }) => rows.map(({ id }) => id))).toEqual(payments.map(({ id }) => id));
  });
  it("keeps what was read further down when its beginning is read again", () => {
    const payments = historyPayments(NOW).map((row) => parse(PaymentView, row));
    const counts = { looked: 0, total: 60 };
    const before = { payments: payments.slice(1, 40), next: { at: 1, skip: 1 }, ...counts };
    const first = { payments: payments.slice(0, 20), next: { at: 2, skip: 1 }, ...counts };
    const merged = withFirstPage(before, first);
    expect(merged.payments.map(({ id }) => id)).toEqual(payments.slice(0, 40).map(({ id }) => id));
    expect(merged.next).toEqual(before.next);
    expect(withFirstPage(before, { ...first, next: null }).payments).toHaveLength(20);
  });
});

describe("a payment", () => {
  const loadedOf = (changes: Parameters<typeof payment>[0]): PaymentDetail => ({
    payment: parse(PaymentView, payment(changes)),
    unasked: false,
    privacy: { hasChange: false, asksForMerchant: false, isShort: false },
    receipt: null,
    refundWindowSeconds: 900,
    refundPolicy: null,
    refundReason: null,
  });
  const detailOf = (changes: Parameters<typeof payment>[0], now = NOW) =>
    detail(loadedOf(changes), undefined, "USD", now);

  it("says that money came back by itself where the article did not open", () => {
    expect(detailOf({ state: "refunding", unopened: true }).said).toBe(
      "The article did not open. Your money is coming back by itself.",
    );
    expect(detailOf({ state: "refunded", unopened: true }).said).toContain("came back by itself");
    expect(detailOf({ state: "refunded" }).said).toBe("Your money is back in your wallet.");
  });
  it("says in the reader's language what went wrong: by the error's code, not in the words for pages", () => {
    const error = { code: "refund_window_closed", message: "as a page is told" };
    const said = errorText(error.code).join(" ");
    expect(detailOf({ state: "failed", error }).said).toBe(said);
    expect(detailOf({ state: "paid", error }).said).toBe(`Paid. ${said}`);
    expect(detailOf({ state: "failed" }).said).toBe("Not paid. You were not charged.");
  });
  it("is taken back by one click only while the merchant's window is open", () => {
    const refundableUntil = NOW + 1_000;
    expect(detailOf({ refundableUntil }).refundUntil).not.toBeNull();
    expect(detailOf({ refundableUntil }).canFetch).toBe(false);
    expect(detailOf({ refundableUntil }, NOW + 2_000)).toMatchObject({
      refundUntil: null,
      refundOver: true,
      canFetch: true,
    });
    expect(detailOf({ refundableUntil, state: "refunded" })).toMatchObject({
      refundUntil: null,
      refundOver: false,
      canFetch: false,
    });
  });
  it("moves on with the wallet while it is looked at", () => {
    const live = parse(PaymentView, payment({ state: "refunded" }));
    expect(detail(loadedOf({}), live, "USD", NOW).state).toBe("refunded");
  });
  it("that the site decides about is not called a closed window, and says where its money is", () => {
    const error = { code: "refund_limit", message: "as a page is told" };
    const said = detailOf({ error, askedBack: true }).said;
    expect(said).toContain("it decides about this payment itself");
    expect(said).toContain("Your money is still in the payment");
    expect(said).toContain("Ask again later, or write to the site.");
    const [day] = historyDays([parse(PaymentView, payment({ error, askedBack: true }))]);
    expect(day?.rows[0]).toMatchObject({ standing: "Asked back", struck: false });
  });
  it("tells what the merchant was told, and every reason that the protocol has can be chosen", () => {
    expect(Object.keys(REASONS).toSorted()).toEqual(RefundReason.options.toSorted());
    const told = { ...loadedOf({ state: "refunded" }), refundReason: "already_have_it" as const };
    expect(detail(told, undefined, "USD", NOW).toldReason).toBe("I had it already");
  });
  it("opens no address but a web page's", () => {
    expect(detailOf({ resource: "javascript:alert(1)" }).article).toBeNull();
  });
  it("is not forgotten while its money is on its way", () => {
    expect(detailOf({ state: "pending" }).canForget).toBe(false);
    expect(detailOf({}).canForget).toBe(true);
    expect(detailOf({ amount: "50000" }).amount).toBe(micros(50_000));
  });
});

function place(hash = "#/spending") {
  return placeOf(readRoute(hash), NOW);
}

function spendingOf(period: string) {
  const answer = answerHistory({ kind: "ui", type: "spending", period }, NOW);
  return (answer as { ok: object }).ok;
}

function shown(hash: string) {
  const at = place(hash);
  return overview(at, parse(UiResults.spending, spendingOf(at.period)), SNAPSHOT, NOW);
}
