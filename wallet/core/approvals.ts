/**
 * Questions to the reader. They live in the store, so that a worker that dies loses none: whoever waits, waits for the
 * row to change.
 *
 *   asking    the window is open, or waits for a top-up: then the offer is kept for a day
 *   approved  the reader agreed, and the payment is being made ready
 *   paying    coins are reserved, `paymentId` is set; from here the payment leads
 *   paid, declined, failed
 */
import { TuppenceError } from "../../shared/errors.ts";
import { add, isPayableInCoins, subtract } from "../../shared/money.ts";
import type { UiRequestOf } from "../../shared/protocol/ui.ts";
import { allowPerMonth, isBeyondMonth, standingAt } from "./budgets.ts";
import { type Context, walletRow } from "./context.ts";
import { countFunds } from "./funds.ts";
import { forgetRefusals, noteRefusal } from "./pauses.ts";
import type { Paying } from "./paying.ts";
import { type PaymentDrives, wantsOtherCoins } from "./payments.ts";
import { expireQuestions, KEPT_OFFER_MS } from "./questions.ts";
import type { PaymentRow } from "./rows.ts";

/** Neither answered nor expired. */
export async function isAsking({ store, nowMs }: Context, approvalId: string): Promise<boolean> {
  const approval = await store.read((tables) => tables.approvals.get(approvalId));
  return approval?.state === "asking" && approval.expiresAt > nowMs();
}

/**
 * The reader's answer. Where there is not enough, the question stays.
 * @throws TuppenceError approval_expired, wallet_paused, over_monthly_limit, offer_changed, amount_invalid, insufficient_balance, withdraw_limit, account_frozen
 */
export async function decide(
  context: Context,
  paying: Paying,
  request: UiRequestOf<"decide">,
): Promise<void> {
  const nowMs = context.nowMs();
  const fault = await context.store.transaction(async (tables) => {
    await expireQuestions(tables, nowMs);
    const approval = await tables.approvals.get(request.approvalId);
    if (!approval || approval.error === "approval_expired") return new TuppenceError("approval_expired");
    // Decided already: a window that was clicked twice.
    if (approval.state !== "asking") return undefined;
    const asking = { tabId: approval.tabId, origin: approval.order.origin };
    if (!request.approve) {
      await tables.approvals.put({ ...approval, state: "declined", error: "declined" });
      await noteRefusal(tables, asking, nowMs);
      return undefined;
    }
    const amount = request.amount ?? approval.order.amount;
    // A page may put another price under the window that is open.
    if (approval.order.kind === "article" && amount !== approval.order.amount)
      return new TuppenceError("offer_changed");
    if (amount < approval.order.least || amount > approval.order.most || !isPayableInCoins(amount))
      return new TuppenceError("amount_invalid");
    const standing = await standingAt(tables, approval.order.origin, nowMs);
    if (standing.settings.paused) return new TuppenceError("wallet_paused");
    if (isBeyondMonth(standing, amount) && request.beyondMonth !== true)
      return new TuppenceError("over_monthly_limit");
    const wallet = await walletRow(tables);
    const { account, coins, onItsWay, spendable } = await countFunds(tables, wallet);
    // It is there, and may not be used: another top-up would not help.
    if (spendable < amount && add(account, coins, onItsWay) >= amount)
      return new TuppenceError(wallet.account?.frozen ? "account_frozen" : "withdraw_limit");
    if (spendable < amount) {
      await tables.approvals.put({ ...approval, expiresAt: nowMs + KEPT_OFFER_MS });
      return new TuppenceError("insufficient_balance", { missing: subtract(amount, spendable).toString() });
    }
    await tables.approvals.put({ ...approval, state: "approved", amount, day: standing.day });
    await forgetRefusals(tables, asking);
    if (request.allowance !== undefined)
      await allowPerMonth(tables, approval.order, request.allowance, nowMs);
    return undefined;
  });
  context.changed();
  if (fault) throw fault;
  if (request.approve) context.inBackground(() => paying.payApproved(request.approvalId));
}

/** Resolves with the payment that the reader's answer led to. @throws TuppenceError declined, approval_expired, the payment's refusal */
export async function approvalOutcome(
  context: Context,
  paying: Paying,
  drives: PaymentDrives,
  approvalId: string,
): Promise<PaymentRow> {
  for (;;) {
    const change = context.nextChange();
    const approval = await context.store.transaction(async (tables) => {
      await expireQuestions(tables, context.nowMs());
      return tables.approvals.get(approvalId);
    });
    if (!approval) throw new TuppenceError("approval_expired");
    if (approval.state === "declined") throw new TuppenceError("declined");
    if (approval.state === "failed") throw new TuppenceError(approval.error ?? "internal");
    if (approval.state === "approved") await paying.payApproved(approvalId);
    else if (approval.paymentId !== undefined) {
      const payment = await paymentOf(context, drives, approval.paymentId);
      if (!wantsOtherCoins(payment)) return payment;
    } else await change;
  }
}

/** A site's back end carries a `http` payment: the page waits for its bytes only. */
export async function paymentOf(
  context: Context,
  drives: PaymentDrives,
  paymentId: string,
): Promise<PaymentRow> {
  drives.start(paymentId);
  for (;;) {
    const change = context.nextChange();
    const payment = await context.store.read((tables) => tables.payments.get(paymentId));
    if (!payment) throw new TuppenceError("payment_unknown");
    if (payment.order.mode === "direct") return drives.outcome(paymentId);
    if (payment.state === "unknown" || payment.state === "cancelling") return drives.outcome(paymentId);
    if (payment.state !== "created") return payment;
    await change;
  }
}
