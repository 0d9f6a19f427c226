/** Whether somebody is in the middle of something with this wallet. */
import type { Context } from "./context.ts";
import { isOpen } from "./payments.ts";
import { isKept } from "./questions.ts";

/** How many of the newest are looked at: a question of yesterday is nobody's. */
const LOOKED_AT = 50;

/**
 * Payments whose time is over are seen to by themselves, whenever that is, but money that is being asked back has the
 * merchant's window only. A question that is kept until there is enough money waits for as long as it likes.
 */
export async function isBusy(context: Context): Promise<boolean> {
  const nowMs = context.nowMs();
  const [questions, payments] = await context.store.read((tables) =>
    Promise.all([tables.approvals.newest(LOOKED_AT), tables.paymentSummaries.newest(LOOKED_AT)]),
  );
  return (
    questions.some(
      (row) => row.state === "approved" || (row.state === "asking" && row.expiresAt > nowMs && !isKept(row)),
    ) ||
    payments.some(
      (payment) => payment.state === "refunding" || (isOpen(payment) && payment.expiresAt > nowMs),
    )
  );
}
