/**
 * Where the money went: payments page by page, newest first, what was spent over time and by site, one payment with its
 * receipt. However many payments there are, each answer reads a bounded number of them; what is filtered or searched for is
 * looked for in pieces, and whoever asks goes on where the last answer ended.
 */

import { daysOf, monthOf, monthsOf, spanOf } from "../../shared/calendar.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { readUnverified } from "../../shared/jws.ts";
import type { HistoryPlace, UiRequestOf, UiResultJson } from "../../shared/protocol/ui.ts";
import { ReceiptClaims } from "../../shared/receipt.ts";
import type { Context } from "./context.ts";
import type { StoreTables, TimeSpan } from "./ports.ts";
import { ALL_SITES, type PaymentSummary, type SpendingRow } from "./rows.ts";
import { shownState, showPayment } from "./snapshot.ts";
import { seriesOf, spentIn } from "./spending.ts";

/** Payments in one answer. */
const PAGE = 50;
const EXPORTED_PAGE = 500;
/** Read at once, so that a transaction never stands between a click and its article for long. */
const PIECE = 200;
/** Looked through for one answer. */
const MOST_LOOKED_AT = 1_000;
const START: HistoryPlace = { at: Number.MAX_SAFE_INTEGER, skip: 0 };

type Query = Omit<UiRequestOf<"history">, "kind" | "type">;

export async function readHistory(context: Context, query: Query): Promise<UiResultJson<"history">> {
  const matches = matcherOf(query);
  const span = spanOfQuery(query);
  const isFiltered =
    query.site !== undefined ||
    query.state !== undefined ||
    query.paymentKind !== undefined ||
    query.search !== undefined;
  const found: PaymentSummary[] = [];
  const total = isFiltered && query.after === undefined ? await countAll(context) : null;
  let place: HistoryPlace | null = query.after ?? START;
  let looked = 0;
  while (place !== null && found.length < PAGE && looked < MOST_LOOKED_AT) {
    // One more than a page tells whether there is another.
    const count: number = isFiltered ? PIECE : PAGE + 1;
    const before = spanBefore(place, span);
    const rows = await context.store.read((tables) => tables.paymentSummaries.newest(count, before));
    let next: HistoryPlace = place;
    let taken = 0;
    for (const row of rows) {
      if (found.length === PAGE) break;
      taken += 1;
      next = placeAfter(next, row);
      if (matches(row)) found.push(row);
    }
    looked += taken;
    place = rows.length < count && taken === rows.length ? null : next;
  }
  return { payments: found.map(showPayment), next: place, looked, total };
}

/** A month by its days, a year by its months. */
export async function readSpending(
  context: Context,
  { period, site }: Pick<UiRequestOf<"spending">, "period" | "site">,
): Promise<UiResultJson<"spending">> {
  const origin = site ?? ALL_SITES;
  const isYear = period.length === 4;
  return context.store.read(async (tables) => {
    const months = await tables.spending.where("series", seriesOf("month", ALL_SITES));
    const inside = isYear ? monthsOf(period) : [monthOf(period)];
    const [over, bySite] = await Promise.all([
      Promise.all(
        (isYear ? inside : daysOf(monthOf(period))).map(async (part) => ({
          period: part,
          ...(await spentIn(tables, part, origin)),
        })),
      ),
      spentBySite(tables, inside),
    ]);
    const counted = months.filter(({ payments }) => payments > 0).map((row) => row.period);
    return {
      ...summed(over),
      over: over.map((part) => ({ period: part.period, ...summed([part]) })),
      sites: bySite,
      first: counted.sort()[0] ?? null,
    };
  });
}

/** @throws TuppenceError payment_unknown */
export async function readPayment(context: Context, paymentId: string): Promise<UiResultJson<"payment">> {
  const row = await context.store.read((tables) => tables.payments.get(paymentId));
  if (!row) throw new TuppenceError("payment_unknown");
  const claims = row.receipt === undefined ? undefined : readUnverified(row.receipt, ReceiptClaims);
  return {
    payment: showPayment(row),
    unasked: row.fromAllowance,
    refundWindowSeconds: row.order.refundWindowSeconds,
    refundPolicy: row.order.refundPolicy ?? null,
    refundReason: row.refundReason ?? null,
    privacy: {
      hasChange: row.coinsValue > row.amount,
      asksForMerchant: row.order.asksForMerchant ?? false,
      isShort: row.isShort ?? false,
    },
    receipt:
      claims === undefined || row.receipt === undefined
        ? null
        : {
            token: row.receipt,
            issuer: claims.iss,
            merchant: claims.aud,
            amount: claims.amount.toString(),
            currency: claims.currency,
            resource: claims.resource,
            issuedAt: claims.iat,
          },
  };
}

export async function exportHistory(
  context: Context,
  { after = START }: Pick<UiRequestOf<"exportHistory">, "after">,
): Promise<UiResultJson<"exportHistory">> {
  const [rows, total] = await Promise.all([
    context.store.read((tables) => tables.payments.newest(EXPORTED_PAGE, spanBefore(after))),
    after === START ? countAll(context) : null,
  ]);
  return {
    payments: rows.map((row) => ({ ...showPayment(row), receipt: row.receipt ?? null })),
    next: rows.length < EXPORTED_PAGE ? null : rows.reduce(placeAfter, after),
    total,
  };
}

/** A browser walks through all of them for it, half a second for 50,000: only for who reads them all anyway. */
function countAll(context: Context): Promise<number> {
  return context.store.read((tables) => tables.paymentSummaries.count());
}

/** What of the span is left when everything newer than this place was read. */
function spanBefore({ at, skip }: HistoryPlace, span: TimeSpan = {}): TimeSpan {
  const until = Math.min(at, span.until ?? at);
  // Before the span's end nothing was read of it yet.
  return { ...span, until, skip: until === at ? skip : 0 };
}

function placeAfter({ at, skip }: HistoryPlace, row: PaymentSummary): HistoryPlace {
  return row.at === at ? { at, skip: skip + 1 } : { at: row.at, skip: 1 };
}

function spanOfQuery({ period }: Query): TimeSpan {
  if (period === undefined) return {};
  const { fromMs, endMs } = spanOf(period);
  return { from: fromMs, until: endMs - 1 };
}

function matcherOf({ site, state, paymentKind, search = "" }: Query): (row: PaymentSummary) => boolean {
  const words = plain(search)
    .split(/\s+/)
    .filter((word) => word !== "");
  return (row) => {
    if (site !== undefined && row.origin !== site) return false;
    if (state !== undefined && shownState(row) !== state) return false;
    if (paymentKind !== undefined && row.order.kind !== paymentKind) return false;
    if (words.length === 0) return true;
    const text = plain(`${row.order.title} ${row.order.merchantName} ${row.origin}`);
    return words.every((word) => text.includes(word));
  };
}

/** Without case and accents: "Café" is found by "cafe". */
function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

async function spentBySite(
  tables: StoreTables,
  months: readonly string[],
): Promise<{ origin: string; spent: string; payments: number }[]> {
  const rows = (await Promise.all(months.map((month) => tables.spending.where("period", month)))).flat();
  const bySite = new Map<string, SpendingRow[]>();
  for (const row of rows) {
    if (row.origin === ALL_SITES || row.payments === 0) continue;
    bySite.set(row.origin, [...(bySite.get(row.origin) ?? []), row]);
  }
  return [...bySite]
    .map(([origin, counted]) => ({ origin, ...summed(counted) }))
    .sort((a, b) => Number(BigInt(b.spent) - BigInt(a.spent)));
}

function summed(counted: readonly Pick<SpendingRow, "spent" | "payments">[]): {
  spent: string;
  payments: number;
} {
  return {
    spent: counted.reduce((sum, { spent }) => sum + spent, 0n).toString(),
    payments: counted.reduce((sum, { payments }) => sum + payments, 0),
  };
}
