/** Sites that the reader has dealt with, and how they are forgotten. */
import type { Context } from "./context.ts";
import { isUnfinished } from "./payments.ts";
import type { PaymentSummary } from "./rows.ts";
import { recountSite } from "./spending.ts";
import { takeChangeIn } from "./stock.ts";
import type { PageSender } from "./wallet.ts";

/** Origins with something bought, or with an allowance. What happened in private windows is not recognised. */
export async function knownOrigins(context: Context): Promise<string[]> {
  return context.store.read(async (tables) => {
    const [oneOfEach, allowances] = await Promise.all([
      tables.paymentSummaries.oneOfEach("origin"),
      tables.allowances.all(),
    ]);
    // Of each site any payment, which as a rule is one that counts: nobody reads all payments for this.
    const bought = await Promise.all(
      oneOfEach.map(async (payment) =>
        isRecognised(payment)
          ? payment
          : tables.paymentSummaries.find("origin", payment.origin, isRecognised),
      ),
    );
    const known = [...bought.filter((payment) => payment !== undefined), ...allowances];
    return [...new Set(known.map(({ origin }) => origin))].sort();
  });
}

function isRecognised({ state, order }: PaymentSummary): boolean {
  return (state === "paid" || state === "refunding") && !order.isPrivate;
}

export async function isKnown(context: Context, origin: string): Promise<boolean> {
  return context.store.read(async (tables) => {
    if (await tables.allowances.get(origin)) return true;
    return (await tables.paymentSummaries.find("origin", origin, isRecognised)) !== undefined;
  });
}

/** What was bought in a private window stays there, unless the reader clicks: to the site it would join the two. */
export function mayShow(
  { order }: PaymentSummary,
  sender: Pick<PageSender, "isPrivate" | "clicked">,
): boolean {
  return !order.isPrivate || sender.isPrivate || sender.clicked;
}

/** Money that is still on its way stays: only what is finished can be forgotten. */
export async function forgetSite(context: Context, origin: string): Promise<void> {
  await context.serially(() => takeChangeIn(context));
  await context.store.transaction(async (tables) => {
    const payments = await tables.paymentSummaries.where("origin", origin);
    const finished = payments.filter((payment) => !isUnfinished(payment));
    const approvals = (await tables.approvals.all()).filter(
      ({ order, state }) => order.origin === origin && state !== "approved" && state !== "paying",
    );
    await Promise.all([
      tables.payments.removeAll(finished.map(({ id }) => id)),
      tables.approvals.removeAll(approvals.map(({ id }) => id)),
      tables.allowances.remove(origin),
    ]);
    await recountSite(tables, origin);
  });
  context.changed();
}
