/** What a page may ask: one function per kind of request. Who asks is what the browser says. */
import { TuppenceError } from "../../shared/errors.ts";
import type {
  PageRequest,
  PageRequestOf,
  PageRequestType,
  PageResults,
  PayResult,
  StatusResult,
  TipResult,
} from "../../shared/protocol/page.ts";
import { approvalOutcome, isAsking, paymentOf } from "./approvals.ts";
import type { Context } from "./context.ts";
import { contentKeyFor, type Entitlements } from "./entitlements.ts";
import { judgeOrder } from "./orders.ts";
import type { Paying } from "./paying.ts";
import { isOpen, type PaymentDrives, wantsOtherCoins } from "./payments.ts";
import type { PaymentPreparation } from "./prepared.ts";
import { refundPayment } from "./refunds.ts";
import type { ApprovalRow, Order, PaymentRow } from "./rows.ts";
import type { Stock } from "./stock.ts";
import type { PageSender } from "./wallet.ts";

/** How far back a page's own requests are looked for. */
const REMEMBERED_REQUESTS = 30;
const REMEMBERED_MS = 86_400_000;
/** What the next payment needs is prepared when this one's article is there. */
const READY_AFTER_MS = 150;

export interface PageParts {
  readonly context: Context;
  readonly drives: PaymentDrives;
  readonly preparation: PaymentPreparation;
  readonly paying: Paying;
  readonly stock: Stock;
  readonly entitlements: Entitlements;
}

export async function answerPage(
  parts: PageParts,
  request: PageRequest,
  sender: PageSender,
): Promise<PageResults[PageRequestType]> {
  switch (request.type) {
    case "pay":
      return pay(parts, request, sender);
    case "tip":
      return tip(parts, request, sender);
    case "entitlement":
      return parts.entitlements.answer(request.payload, sender);
    case "status":
      return status(parts, request, sender);
  }
}

/** True if this page asked just now, by a click: it knows of the wallet already, and its request may come again. */
export async function hasAsked(context: Context, { tabId, origin }: PageSender): Promise<boolean> {
  const beginning = requestKeyOf("", { tabId, origin });
  const since = context.nowMs() - REMEMBERED_MS;
  return context.store.read(async (tables) => {
    const rows = await Promise.all([
      tables.approvals.newest(REMEMBERED_REQUESTS),
      tables.paymentSummaries.newest(REMEMBERED_REQUESTS),
    ]);
    return rows.flat().some(({ at, requestKey }) => at >= since && requestKey.startsWith(beginning));
  });
}

async function pay(
  parts: PageParts,
  { id, payload }: PageRequestOf<"pay">,
  sender: PageSender,
): Promise<PayResult> {
  const { row } = await parts.context.open();
  // A restored wallet does not know yet which numbers its payments have used.
  if (sender.clicked && row.recovery === "none") parts.preparation.begin();
  const order = await judgeOrder(parts.context, payload, sender);
  const payment = await payOrder(parts, order, id, sender);
  if (payment.state !== "paid" && payment.order.mode === "http" && payload.mode === "http") {
    return {
      paymentId: payment.id,
      paymentSignature: payment.body,
      expiresAt: Math.floor(payment.expiresAt / 1_000),
    };
  }
  if (payment.receipt === undefined) throw new TuppenceError("internal");
  const contentKey = await contentKeyFor(
    parts.context,
    payment,
    payload.mode === "direct" ? order.seal : undefined,
  );
  return {
    paymentId: payment.id,
    receipt: payment.receipt,
    ...(contentKey === undefined ? {} : { contentKey }),
  };
}

async function tip(
  parts: PageParts,
  { id, payload }: PageRequestOf<"tip">,
  sender: PageSender,
): Promise<TipResult> {
  const { offer, least, most } = payload;
  const order = await judgeOrder(parts.context, { offer, mode: "direct", range: { least, most } }, sender);
  const payment = await payOrder(parts, order, id, sender);
  if (payment.receipt === undefined) throw new TuppenceError("internal");
  return { paymentId: payment.id, receipt: payment.receipt, amount: payment.amount.toString() };
}

async function status(
  { context, drives, stock }: PageParts,
  { payload }: PageRequestOf<"status">,
  sender: PageSender,
): Promise<StatusResult> {
  const found = await context.store.read((tables) => tables.payments.get(payload.paymentId));
  // To another site it is as unknown as one that never was.
  if (!found || found.origin !== sender.origin) throw new TuppenceError("payment_unknown");
  let payment = isOpen(found) && found.order.mode === "http" ? await drives.ask(found.id) : found;
  if (payload.problem !== undefined && payment.state === "paid") {
    payment = await refundPayment(context, payment.id, payload.problem, "did_not_open").catch(
      (error: unknown) => asItStands(context, error, payment),
    );
    stock.restockSoon();
  }
  const { receipt, contentKey } = payment;
  const state = stateForPage(payment);
  return {
    state,
    ...(state === "paid" && receipt !== undefined
      ? { receipt, ...(contentKey === undefined ? {} : { contentKey }) }
      : {}),
  };
}

/** The payment of this order: an earlier one, one within the allowance, or one that the reader approved just now. */
async function payOrder(
  parts: PageParts,
  order: Order,
  requestId: string,
  sender: PageSender,
): Promise<PaymentRow> {
  const { context, paying, drives, preparation, stock } = parts;
  const requestKey = requestKeyOf(requestId, sender);
  let retryOf: PaymentRow | undefined;
  for (;;) {
    const admission = await paying.admit({
      order,
      tabId: sender.tabId,
      requestKey,
      clicked: sender.clicked,
      ...(retryOf ? { retryOf } : {}),
    });
    if (admission.kind === "busy") return bringToFront(context, admission.approval);
    if (admission.kind === "asking" && admission.isNew) await showQuestion(context, admission.approval);
    const payment =
      admission.kind === "asking"
        ? await approvalOutcome(context, paying, drives, admission.approval.id)
        : admission.payment.order.mode === "direct"
          ? await drives.outcome(admission.payment.id)
          : await paymentOf(context, drives, admission.payment.id);
    if (payment.state !== "failed") {
      stock.restockSoon();
      context.inBackground(async () => {
        // The page comes first.
        await context.ports.scheduler.delay(READY_AFTER_MS);
        await preparation.readyFor(payment.amount);
      });
      return payment;
    }
    if (!wantsOtherCoins(payment)) throw new TuppenceError(payment.error ?? "internal");
    retryOf = payment;
  }
}

export async function showQuestion(
  context: Context,
  { id, tabId }: Pick<ApprovalRow, "id" | "tabId">,
): Promise<void> {
  await context.ports.prompt.open(id, tabId, (other) => isAsking(context, other));
}

/** The reader clicked and sees nothing new, so the question that stands in the way comes up. @throws TuppenceError prompt_open */
export async function bringToFront(context: Context, standing: ApprovalRow): Promise<never> {
  await showQuestion(context, standing);
  throw new TuppenceError("prompt_open");
}

function requestKeyOf(requestId: PageRequest["id"], sender: Pick<PageSender, "tabId" | "origin">): string {
  return `${sender.tabId} ${sender.origin} ${requestId}`;
}

/** A refund that could not be finished now goes on by itself; one that was refused leaves the payment paid. */
async function asItStands(context: Context, error: unknown, payment: PaymentRow): Promise<PaymentRow> {
  if (!(error instanceof TuppenceError)) throw error;
  return (await context.store.read((tables) => tables.payments.get(payment.id))) ?? payment;
}

function stateForPage({ state }: PaymentRow): StatusResult["state"] {
  switch (state) {
    case "paid":
      return "paid";
    case "failed":
      return "unpaid";
    case "refunded":
      return "refunded";
    case "created":
    case "sent":
    case "unknown":
    case "cancelling":
    case "refunding":
      return "pending";
  }
}
