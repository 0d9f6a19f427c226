/** Whether somebody is in the middle of something with this wallet. */
import type { Context } from "./context.ts";
import { isOpen } from "./payments.ts";

/** How many of the newest are looked at: a question of yesterday is nobody's. */
const LOOKED_AT = 50;

/** Payments whose time is over are seen to by themselves, whenever that is. */
export async function isBusy(context: Context): Promise<boolean> {
  const nowMs = context.nowMs();
  const [questions, payments] = await context.store.read((tables) =>
    Promise.all([tables.approvals.newest(LOOKED_AT), tables.payments.newest(LOOKED_AT)]),
  );
  return (
    questions.some(
      ({ state, expiresAt }) => state === "approved" || (state === "asking" && expiresAt > nowMs),
    ) || payments.some((payment) => isOpen(payment) && payment.expiresAt > nowMs)
  );
}
