/**
 * Money back: paid → refunding → refunded. The blank coins derive from the phrase and the payment id, and which they
 * are is stored first, so that asking again asks for the same signatures. A refusal leaves the payment `paid`.
 */
import { TuppenceError } from "../../shared/errors.ts";
import { splitIntoCoins } from "../../shared/money.ts";
import type { RefundReason } from "../../shared/protocol/fields.ts";
import { giveBudgetBack } from "./budgets.ts";
import { makeBlankCoins, openCoins, outputsOf } from "./coins.ts";
import { type Context, isFinal, TRY_AGAIN_AFTER_MS } from "./context.ts";
import { activeKeyset, refreshKeysets } from "./keysets.ts";
import { changePayment } from "./payments.ts";
import type { PaymentRow } from "./rows.ts";
import { restoreAll } from "./swaps.ts";

/**
 * @param reason what the merchant is told, if anything
 * @throws TuppenceError payment_unknown, refund_window_closed, refund_limit and the like; provider_*: it goes on later
 */
export async function refundPayment(
  context: Context,
  paymentId: string,
  refundCause: NonNullable<PaymentRow["refundCause"]>,
  reason?: RefundReason,
): Promise<PaymentRow> {
  const { id: keysetId } = await activeKeyset(context);
  const refunding = await changePayment(context, paymentId, (row) => {
    if (row.state !== "paid") return row;
    return {
      ...row,
      state: "refunding",
      error: undefined,
      refundCause,
      refundReason: reason ?? row.refundReason,
      refund: { keysetId, amounts: splitIntoCoins(row.amount) ?? [] },
    };
  });
  if (refunding.state === "refunded") return refunding;
  if (refunding.state !== "refunding") throw new TuppenceError("payment_unknown");
  // One at a time, because two would both put the coins into the drawer.
  return context.serially(() => finishRefund(context, paymentId));
}

export async function finishRefund(context: Context, paymentId: string): Promise<PaymentRow> {
  const payment = await context.store.read((tables) => tables.payments.get(paymentId));
  if (payment?.state !== "refunding" || !payment.refund)
    return payment ?? Promise.reject(new TuppenceError("payment_unknown"));
  const { keys, provider } = await context.open();
  const { refundReason: reason } = payment;
  const { keysetId, amounts } = payment.refund;
  const paymentKeys = await keys.payment(paymentId);
  const blanks = await makeBlankCoins(context, await paymentKeys.refundSeed(), keysetId, 0, amounts.length);
  const outputs = outputsOf(blanks, amounts);
  try {
    const signatures = await provider
      .refund(paymentId, { preimage: paymentKeys.refundPreimage, outputs, ...(reason && { reason }) })
      .catch(async (error: unknown) => {
        if (!isFinal(error)) throw error;
        return (await restoreAll(context, outputs)) ?? Promise.reject(error);
      });
    const coins = await openCoins(context, blanks, signatures, amounts);
    return await changePayment(
      context,
      paymentId,
      (row) =>
        row.state === "refunding"
          ? { ...row, state: "refunded", contentKey: undefined, contentKeySeal: undefined }
          : row,
      async (tables, row) => {
        await tables.coins.putAll(coins);
        await giveBudgetBack(tables, row);
      },
    );
  } catch (error) {
    if (!isFinal(error)) {
      // The merchant's window does not wait for whatever wakes the wallet next.
      context.wakeAt(context.nowMs() + Math.max(TRY_AGAIN_AFTER_MS, context.quietMs()));
      throw error;
    }
    if (error.code === "keyset_unknown") await refreshKeysets(context);
    await changePayment(context, paymentId, (row) =>
      row.state === "refunding" ? { ...row, state: "paid", error: error.code, refund: undefined } : row,
    );
    throw error;
  }
}
