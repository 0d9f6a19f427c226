/** Makes payments of orders: within the reader's budgets at once, otherwise after the reader's approval. */

import { dayOf } from "../../shared/calendar.ts";
import { TuppenceError } from "../../shared/errors.ts";
import type { Micros } from "../../shared/money.ts";
import { isCovered, standingAt } from "./budgets.ts";
import type { BlankCoin } from "./cashu.ts";
import { makeChangeBlanks } from "./coins.ts";
import { type Context, isFinal, walletRow } from "./context.ts";
import { valueOf } from "./drawer.ts";
import { countFunds } from "./funds.ts";
import { newId } from "./ids.ts";
import { activeKeyset } from "./keysets.ts";
import { refuseWhilePaused } from "./pauses.ts";
import { isOpen, type PaymentDrives } from "./payments.ts";
import type { StoreTables } from "./ports.ts";
import type { PaymentPreparation, PreparedPayment } from "./prepared.ts";
import { isKept, putQuestion } from "./questions.ts";
import { finishRefund } from "./refunds.ts";
import { type Attempted, reserve, resourceKeyOf } from "./reserve.ts";
import type { ApprovalRow, Order, PaymentRow } from "./rows.ts";
import { readSettings } from "./settings.ts";
import { mayShow } from "./sites.ts";
import type { Stock } from "./stock.ts";

/** One after another, so that coins which were found in between count. */
const MAX_ROUNDS = 6;
/** A restocking that was under way already may have taken apart what ours put together. */
const MAX_RESTOCKS = 3;

export type Admission =
  /** Bought before, or the same request came again. */
  | { readonly kind: "known"; readonly payment: PaymentRow }
  /** Paid for by the allowance: the payment is stored and is on its way. */
  | { readonly kind: "paying"; readonly payment: PaymentRow }
  | { readonly kind: "asking"; readonly approval: ApprovalRow; readonly isNew: boolean }
  /** The tab is being asked something else, which comes first. */
  | { readonly kind: "busy"; readonly approval: ApprovalRow };

export interface Admitted {
  readonly order: Order;
  readonly tabId: number;
  readonly requestKey: string;
  readonly clicked: boolean;
  /** Of a payment that found spent coins: what it is tried again for. */
  readonly retryOf?: PaymentRow;
}

export interface Paying {
  /** @throws TuppenceError click_required, wallet_paused, prompts_paused, or what stood in the way of coins */
  admit(asked: Admitted): Promise<Admission>;
  /** Pays what the reader approved; does nothing in any other state. Many callers make one payment. */
  payApproved(approvalId: string): Promise<void>;
}

export interface PayingParts {
  readonly context: Context;
  readonly preparation: PaymentPreparation;
  readonly drives: PaymentDrives;
  readonly stock: Stock;
}

export function preparePaying(parts: PayingParts): Paying {
  const { context, drives } = parts;
  const running = new Map<string, Promise<void>>();
  return {
    admit: async (asked) => {
      const approvalId = newId(context);
      const admission = await withCoins<Admission>(
        parts,
        asked.order.amount,
        ({ kind }) => kind === "paying",
        (tables, attempt) => admitWithin(tables, context, asked, attempt, approvalId),
      );
      if (admission.kind === "paying") drives.start(admission.payment.id, admission.payment);
      context.changed();
      return admission;
    },
    payApproved: (approvalId) => {
      const before = running.get(approvalId);
      if (before) return before;
      const run = payApproved(parts, approvalId).finally(() => running.delete(approvalId));
      running.set(approvalId, run);
      return run;
    },
  };
}

interface Attempt {
  readonly prepared: PreparedPayment;
  readonly blanks: readonly BlankCoin[];
  /** Coins were put together already, as far as that was possible. */
  readonly isLast: boolean;
  /** The account was asked for some of them. */
  readonly isShort: boolean;
}

/**
 * Runs the transaction again with what it lacked: blank coins for the change, or coins that were in the account.
 * The usual case, exact coins, is one transaction.
 */
async function withCoins<T>(
  { context, preparation, stock }: PayingParts,
  amount: Order["amount"],
  usesPayment: (outcome: T) => boolean,
  body: (tables: StoreTables, attempt: Attempt) => Promise<Attempted<T>>,
): Promise<T> {
  const prepared = await preparation.take();
  let isUsed = false;
  let blanks = await stillSigned(context, prepared.blanks);
  let fault: unknown;
  let restocks = 0;
  let isShort = false;
  try {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const attempted = await context.store.transaction((tables) =>
        body(tables, { prepared, blanks, isLast: restocks > 0, isShort }),
      );
      if ("done" in attempted) {
        isUsed = usesPayment(attempted.done);
        return attempted.done;
      }
      if (attempted.lacks === "blanks")
        blanks = await makeChangeBlanks(context, await prepared.keys.changeSeed(), attempted.count, blanks);
      else if (attempted.lacks === "refund") await endRefund(context, attempted.paymentId);
      else if (restocks === MAX_RESTOCKS || fault !== undefined) break;
      else {
        restocks += 1;
        isShort ||= (await drawerValue(context)) < amount;
        await stock.restock(amount).catch((error: unknown) => {
          fault = error;
        });
      }
    }
    throw fault ?? new TuppenceError("insufficient_balance");
  } finally {
    if (!isUsed) preparation.giveBack(prepared);
  }
}

function drawerValue(context: Context): Promise<Micros> {
  return context.store.read(async (tables) => valueOf(await tables.coins.where("state", "free")));
}

/** Blank coins that were made ahead, unless their keyset ended since. */
async function stillSigned(context: Context, blanks: readonly BlankCoin[]): Promise<readonly BlankCoin[]> {
  const [first] = blanks;
  return first === undefined || first.keysetId === (await activeKeyset(context)).id ? blanks : [];
}

async function admitWithin(
  tables: StoreTables,
  context: Context,
  asked: Admitted,
  attempt: Attempt,
  approvalId: string,
): Promise<Attempted<Admission>> {
  const { order, requestKey } = asked;
  const nowMs = context.nowMs();
  const [sameRequest, sameApproval, sameResource, standing] = await Promise.all([
    tables.payments.where("requestKey", requestKey),
    tables.approvals.where("requestKey", requestKey),
    ofSameResource(tables, order),
    standingAt(tables, order.origin, nowMs),
  ]);
  if (!asked.retryOf) {
    const [approval] = sameApproval;
    if (approval) return { done: { kind: "asking", approval, isNew: false } };
    const again = sameRequest.toSorted((a, b) => b.spentRetries - a.spentRetries)[0];
    if (again) return { done: { kind: "known", payment: again } };
  }
  const sender = { isPrivate: order.isPrivate, clicked: asked.clicked || asked.retryOf !== undefined };
  const bought = findBought(sameResource.filter((payment) => mayShow(payment, sender)));
  if (bought) return { done: { kind: "known", payment: bought } };
  if (!asked.clicked && !asked.retryOf) throw new TuppenceError("click_required");
  // What was bought opens all the same, and a page that nobody clicked on is not told.
  if (standing.settings.paused) throw new TuppenceError("wallet_paused");
  const refunding = findRefunding(sameResource);
  if (refunding) return { lacks: "refund", paymentId: refunding.id };
  if (isCovered(standing, order)) {
    const reserved = await reserve(tables, {
      order,
      amount: order.amount,
      prepared: attempt.prepared,
      blanks: attempt.blanks,
      fromAllowance: true,
      day: standing.day,
      isShort: attempt.isShort,
      approvalId: undefined,
      requestKey,
      spentRetries: asked.retryOf ? asked.retryOf.spentRetries + 1 : 0,
      nowMs,
    });
    if ("done" in reserved) return { done: { kind: "paying", payment: reserved.done } };
    const { spendable } = await countFunds(tables, await walletRow(tables));
    if (spendable >= order.amount) return reserved;
    // The account may have grown since it was looked at; after that the reader is asked, and told what is missing.
    if (reserved.lacks === "coins" && !attempt.isLast) return reserved;
  }
  return { done: await ask(tables, asked, approvalId, nowMs) };
}

async function ask(
  tables: StoreTables,
  asked: Admitted,
  approvalId: string,
  nowMs: number,
): Promise<Admission> {
  const { order, tabId, requestKey } = asked;
  const { spendable } = await countFunds(tables, await walletRow(tables));
  const standing = (await tables.approvals.where("state", "asking")).filter(
    (row) => row.tabId === tabId && row.expiresAt > nowMs,
  );
  // An offer that was kept for want of money is taken up again by the next click on it.
  const kept = standing.find(
    (row) =>
      row.order.resourceUrl === order.resourceUrl && row.order.merchant === order.merchant && isKept(row),
  );
  if (kept) {
    const taken: ApprovalRow = { ...kept, order, requestKey };
    await tables.approvals.put(taken);
    return { kind: "asking", approval: taken, isNew: true };
  }
  const [first] = standing;
  if (first) return { kind: "busy", approval: first };
  await refuseWhilePaused(tables, { tabId, origin: order.origin }, nowMs);
  const approval = await putQuestion(tables, {
    id: approvalId,
    order,
    tabId,
    requestKey,
    isShort: spendable < order.least,
    nowMs,
  });
  return { kind: "asking", approval, isNew: true };
}

/** A tip is given as often as the reader likes. */
function ofSameResource(tables: StoreTables, { kind, merchant, resourceUrl }: Order): Promise<PaymentRow[]> {
  return kind === "article"
    ? tables.payments.where("resourceKey", resourceKeyOf(merchant, resourceUrl))
    : Promise.resolve([]);
}

/** Paid for, or about to be. */
function findBought(payments: readonly PaymentRow[]): PaymentRow | undefined {
  return payments.find(({ state }) => state === "paid") ?? payments.find(isOpen);
}

function findRefunding(payments: readonly PaymentRow[]): PaymentRow | undefined {
  return payments.find(({ state }) => state === "refunding");
}

/** Refused or not, it is over then. @throws TuppenceError provider_* where nobody knows */
async function endRefund(context: Context, paymentId: string): Promise<void> {
  await context
    .serially(() => finishRefund(context, paymentId))
    .catch((error: unknown) => {
      if (!isFinal(error)) throw error;
    });
}

async function payApproved(parts: PayingParts, approvalId: string): Promise<void> {
  const { context, drives } = parts;
  const approval = await context.store.read((tables) => tables.approvals.get(approvalId));
  if (approval?.state !== "approved") return;
  const amount = approval.amount ?? approval.order.amount;
  try {
    const made = await withCoins<PaymentRow | undefined>(
      parts,
      amount,
      (payment) => payment !== undefined,
      async (tables, { prepared, blanks, isShort }): Promise<Attempted<PaymentRow | undefined>> => {
        const kept = await tables.approvals.get(approvalId);
        if (kept?.state !== "approved") return { done: undefined };
        // Another window asked about the same article, and the reader agreed there first.
        const sameResource = await ofSameResource(tables, kept.order);
        const bought = findBought(sameResource);
        if (bought) {
          const state = bought.state === "paid" ? "paid" : "paying";
          await tables.approvals.put({ ...kept, state, paymentId: bought.id });
          return { done: undefined };
        }
        if ((await readSettings(tables)).paused) throw new TuppenceError("wallet_paused");
        const refunding = findRefunding(sameResource);
        if (refunding) return { lacks: "refund", paymentId: refunding.id };
        const before = kept.paymentId === undefined ? undefined : await tables.payments.get(kept.paymentId);
        const reserved = await reserve(tables, {
          order: kept.order,
          amount,
          prepared,
          blanks,
          fromAllowance: false,
          day: kept.day ?? dayOf(context.nowMs()),
          isShort,
          approvalId,
          requestKey: kept.requestKey,
          spentRetries: before ? before.spentRetries + 1 : 0,
          nowMs: context.nowMs(),
        });
        if ("done" in reserved)
          await tables.approvals.put({ ...kept, state: "paying", paymentId: reserved.done.id });
        return reserved;
      },
    );
    if (made) drives.start(made.id, made);
  } catch (error) {
    if (!(error instanceof TuppenceError)) throw error;
    await context.store.transaction(async (tables) => {
      const kept = await tables.approvals.get(approvalId);
      if (kept?.state === "approved")
        await tables.approvals.put({ ...kept, state: "failed", error: error.code });
    });
  } finally {
    context.changed();
  }
}
