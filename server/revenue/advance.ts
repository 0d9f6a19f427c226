/**
 * Goes on adding up a merchant's payments and refunds where it was left, a page at a time. A page's sums and the cursor
 * behind it are written by one statement, on the condition that the cursor is where it was read: a process that dies
 * leaves both or neither, and of two that read the same page one is told nothing and counts nothing.
 */
import type { Micros } from "../../shared/money.ts";
import { add, ZERO } from "../../shared/money.ts";
import { utcDay } from "../../shared/protocol/revenue.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import { deriveId } from "../ledger/ids.ts";
import type { Ledger, PostedTransfer, TransferQuery } from "../ledger/ledger.ts";
import { type PaymentSubject, paymentGroupId, paymentSubjectOf, REFUND_CODES } from "../payments/index.ts";
import type { CountingDeps } from "./deps.ts";
import { EVERY_ARTICLE, readCursor, tables } from "./tables.ts";

/** Read and written at once: about 30 ms, in which nobody else is answered. */
const PAGE_TRANSFERS = 1_000;
/** More than any group has. */
const WHOLE_GROUP_TRANSFERS = 2_000;

/** Whether there is more. @throws Error at a payment that has no record */
export async function advance(deps: CountingDeps, merchant: string): Promise<boolean> {
  const cursor = await readCursor(deps, merchant);
  const credits = await readPage(deps.ledger, {
    account: merchantAccount(merchant),
    side: "credit",
    codes: ["payment", "refund_uncollected"],
    afterSequence: cursor.credit,
  });
  const debits = await readPage(deps.ledger, {
    account: merchantAccount(merchant),
    side: "debit",
    codes: REFUND_CODES,
    afterSequence: cursor.debit,
  });
  const all = [...credits.transfers, ...debits.transfers];
  if (all.length === 0) return false;
  const subjects = await readSubjects(deps.ledger, all);
  const { sums, articles } = addUp(all, subjects);
  await tables(deps)
    .insertInto("revenue_advances")
    .values({
      merchant_id: merchant,
      credit_from: BigInt(cursor.credit),
      credit_to: BigInt(credits.transfers.at(-1)?.sequence ?? cursor.credit),
      debit_from: BigInt(cursor.debit),
      debit_to: BigInt(debits.transfers.at(-1)?.sequence ?? cursor.debit),
      sums: JSON.stringify(sums),
      articles: JSON.stringify(articles),
    })
    .execute();
  return credits.hasMore || debits.hasMore;
}

/** Whole groups only, whose transfers stand side by side: one that is cut off by the page's end waits for the next. */
async function readPage(
  ledger: Ledger,
  query: Omit<TransferQuery, "limit">,
): Promise<{ readonly transfers: readonly PostedTransfer[]; readonly hasMore: boolean }> {
  for (const limit of [PAGE_TRANSFERS, WHOLE_GROUP_TRANSFERS]) {
    const page = await ledger.transfers({ ...query, limit });
    if (page.length < limit) return { transfers: page, hasMore: false };
    const cut = page.at(-1)?.groupId;
    const transfers = page.filter(({ groupId }) => groupId !== cut);
    if (transfers.length > 0) return { transfers, hasMore: true };
  }
  throw new Error(`more than ${WHOLE_GROUP_TRANSFERS} transfers in one group of ${query.account}`);
}

/** What each payment was for, by its id. A refund says the id of its payment. */
async function readSubjects(
  ledger: Ledger,
  transfers: readonly PostedTransfer[],
): Promise<ReadonlyMap<string, PaymentSubject>> {
  const groupIds = new Map(transfers.map(({ reference }) => [reference, paymentGroupId(reference)]));
  const groups = await ledger.groups([...groupIds.values()]);
  const subjects = new Map<string, PaymentSubject>();
  for (const [paymentId, groupId] of groupIds) {
    const group = groups.get(groupId);
    if (!group) throw new Error(`payment ${paymentId} has no group`);
    subjects.set(paymentId, paymentSubjectOf(group, paymentId));
  }
  return subjects;
}

interface Sum {
  readonly payments: Set<string>;
  readonly refunds: Set<string>;
  paid: Micros;
  refunded: Micros;
}

/** As lists, in the order of `revenue_advances`. Amounts as text, which no program takes for a number that may be rounded. */
function addUp(transfers: readonly PostedTransfer[], subjects: ReadonlyMap<string, PaymentSubject>) {
  const sums = new Map<string, Sum>();
  const articles = new Map<string, string>();
  for (const { code, reference, amount, timestamp } of transfers) {
    const subject = subjects.get(reference);
    if (!subject) throw new Error(`payment ${reference} was not read`);
    const day = utcDay(timestamp);
    const month = `${day.slice(0, 7)}-01`;
    const resource = addressOf(subject.resource);
    const article = articleIdOf(resource);
    articles.set(article, resource);
    for (const key of [
      ["day", day, EVERY_ARTICLE, subject.kind],
      ["article_day", day, article, subject.kind],
      ["article_month", month, article, subject.kind],
    ].map((parts) => parts.join(" "))) {
      const sum = sums.get(key) ?? { payments: new Set(), refunds: new Set(), paid: ZERO, refunded: ZERO };
      sums.set(key, sum);
      if (REFUND_CODES.includes(code)) {
        sum.refunds.add(reference);
        sum.refunded = add(sum.refunded, amount);
        continue;
      }
      // What was given back and nobody fetched is taken once more; its payment was counted when it was made.
      if (code === "payment") sum.payments.add(reference);
      sum.paid = add(sum.paid, amount);
    }
  }
  return {
    sums: [...sums].map(([key, { payments, paid, refunds, refunded }]) => [
      ...key.split(" "),
      payments.size,
      `${paid}`,
      refunds.size,
      `${refunded}`,
    ]),
    articles: [...articles],
  };
}

/** One form for all ways to write it, and text that every database takes. */
function addressOf(resource: string): string {
  return new URL(resource).href;
}

function articleIdOf(address: string): string {
  return deriveId("revenue article", address);
}
