/** A wallet with a long past: copies of the payment that it made last, over two years at forty sites. */
import { tableNamed } from "../../extension/store/index.ts";
import { dayOf } from "../../shared/calendar.ts";
import { createMemoryStore } from "../../wallet/core/index.ts";
import { type PaymentRow, summaryOf } from "../../wallet/core/rows.ts";
import { recount } from "../../wallet/core/spending.ts";
import type { Extension } from "./extension.ts";
import { openTable, sealedText, writeRows } from "./stored-rows.ts";

const SITES = 40;
const DAYS = 730;
const DAY_MS = 86_400_000;
/** So many rows at once go into the browser. */
const PIECE = 2_000;

/** Into the store itself, sealed as the wallet seals them, together with what they come to. */
export async function copyPayments(extension: Extension, count: number): Promise<void> {
  const payments = tableNamed("wholePayments");
  const summaries = tableNamed("payments");
  const spending = tableNamed("spending");
  const { sealer, rows } = await openTable(extension, payments);
  // What the wallet wrote a moment ago.
  const made = rows.map(({ row }) => row as PaymentRow);
  const [first] = made;
  if (!first) throw new Error("nothing was paid that could be copied");
  const copies = Array.from({ length: count }, (_, index): PaymentRow => {
    const at = first.at - Math.floor((index / count) * DAYS * DAY_MS) - 1_000;
    const origin = `https://site-${(index * index) % SITES}.example`;
    const resourceUrl = `${origin}/${index}`;
    return {
      ...first,
      id: index.toString(16).padStart(32, "0"),
      at,
      day: dayOf(at),
      origin,
      resourceKey: `${first.order.merchant} ${resourceUrl}`,
      requestKey: `1 ${origin} ${index}`,
      order: { ...first.order, origin, resourceUrl, title: `Article ${index}` },
    };
  });
  const counted = createMemoryStore();
  const totals = await counted.transaction(async (tables) => {
    await tables.payments.putAll([...made, ...copies]);
    await recount(tables);
    return tables.spending.all();
  });
  for (const [of, many] of [
    [payments, copies],
    [summaries, copies.map(summaryOf)],
    [spending, totals],
  ] as const)
    for (let start = 0; start < many.length; start += PIECE) {
      const piece = many.slice(start, start + PIECE).map((row) => ({ after: sealedText(sealer, of, row) }));
      await writeRows(extension, of, piece);
    }
}
