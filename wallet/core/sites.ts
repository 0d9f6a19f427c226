/** Sites that the reader has dealt with, and how they are forgotten. */
import type { Context } from "./context.ts";
import { isOpen } from "./payments.ts";
import type { PaymentRow } from "./rows.ts";
import { takeChangeIn } from "./stock.ts";
import type { PageSender } from "./wallet.ts";

/** Origins with something bought, or with an allowance. What happened in private windows is not recognised. */
export async function knownOrigins(context: Context): Promise<string[]> {
  return context.store.read(async (tables) => {
    const [paid, refunding, allowances] = await Promise.all([
      tables.payments.where("state", "paid"),
      tables.payments.where("state", "refunding"),
      tables.allowances.all(),
    ]);
    const bought = [...paid, ...refunding].filter(({ order }) => !order.isPrivate);
    return [...new Set([...bought, ...allowances].map(({ origin }) => origin))].sort();
  });
}

export async function isKnown(context: Context, origin: string): Promise<boolean> {
  return context.store.read(async (tables) => {
    if (await tables.allowances.get(origin)) return true;
    const payments = await tables.payments.where("origin", origin);
    return payments.some(
      ({ state, order }) => (state === "paid" || state === "refunding") && !order.isPrivate,
    );
  });
}

/** What was bought in a private window stays there, unless the reader clicks: to the site it would join the two. */
export function mayShow({ order }: PaymentRow, sender: Pick<PageSender, "isPrivate" | "clicked">): boolean {
  return !order.isPrivate || sender.isPrivate || sender.clicked;
}

/** Money that is still on its way stays: only what is finished can be forgotten. */
export async function forgetSite(context: Context, origin: string): Promise<void> {
  await context.serially(() => takeChangeIn(context));
  await context.store.transaction(async (tables) => {
    const payments = await tables.payments.where("origin", origin);
    const finished = payments.filter(
      (payment) => !isOpen(payment) && payment.state !== "refunding" && payment.change !== "pending",
    );
    const approvals = (await tables.approvals.all()).filter(
      ({ order, state }) => order.origin === origin && state !== "approved" && state !== "paying",
    );
    await Promise.all([
      tables.payments.removeAll(finished.map(({ id }) => id)),
      tables.approvals.removeAll(approvals.map(({ id }) => id)),
      tables.allowances.remove(origin),
    ]);
  });
  context.changed();
}
