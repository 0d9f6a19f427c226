/** What the wallet's own pages show, in one piece. */

import { dayOf, monthOf } from "../../shared/calendar.ts";
import { type ErrorCode, tellReader } from "../../shared/errors.ts";
import { add, type Micros, subtract, ZERO } from "../../shared/money.ts";
import type { ProviderInfo } from "../../shared/protocol/provider.ts";
import type { WalletSnapshotJson } from "../../shared/protocol/ui.ts";
import { uncheckedCoins } from "./backup/check.ts";
import { deviceRows, ownBackup, restoreRow } from "./backup/rows.ts";
import {
  type Budget,
  budgetsOf,
  exceeded,
  monthBudget,
  monthTaken,
  type Standing,
  standingAt,
} from "./budgets.ts";
import type { Context } from "./context.ts";
import { chooseCoins } from "./drawer.ts";
import { countFunds, type Funds, isLow } from "./funds.ts";
import { phraseReminder } from "./phrase.ts";
import type { StoreTables } from "./ports.ts";
import {
  type AllowanceRow,
  type ApprovalRow,
  type PaymentSummary,
  type TopUpRow,
  WALLET_KEY,
  type WalletRow,
} from "./rows.ts";
import { readSettings } from "./settings.ts";
import { spentIn } from "./spending.ts";
import { topUpAmounts } from "./top-ups.ts";

const SHOWN_PAYMENTS = 50;
const SHOWN_TOP_UPS = 10;
const SHOWN_APPROVALS = 20;
/** Of a provider that was never reached. */
const DEFAULT_CURRENCY = "USD";

type Unprotected = Omit<WalletSnapshotJson, "protection">;

export async function takeSnapshot(context: Context): Promise<WalletSnapshotJson> {
  const { hasPassphrase, isLocked, lockAfterMinutes } = await context.store.protection();
  const protection = { hasPassphrase, lockAfterMinutes };
  if (isLocked) return { ...emptySnapshot(context), state: "locked", protection };
  return context.store.read(async (tables) => {
    const wallet = await tables.wallet.get(WALLET_KEY);
    const snapshot = wallet ? await snapshotOf(context, tables, wallet) : emptySnapshot(context);
    return { ...snapshot, protection };
  });
}

async function snapshotOf(context: Context, tables: StoreTables, wallet: WalletRow): Promise<Unprotected> {
  const nowMs = context.nowMs();
  const month = monthOf(dayOf(nowMs));
  const [
    funds,
    payments,
    allowances,
    topUps,
    approvals,
    settings,
    { spent },
    taken,
    restore,
    backup,
    devices,
  ] = await Promise.all([
    countFunds(tables, wallet),
    tables.paymentSummaries.newest(SHOWN_PAYMENTS),
    tables.allowances.all(),
    tables.topUps.newest(SHOWN_TOP_UPS),
    tables.approvals.newest(SHOWN_APPROVALS),
    readSettings(tables),
    spentIn(tables, month),
    monthTaken(tables, month),
    showRestore(tables, wallet),
    ownBackup(tables),
    deviceRows(tables),
  ]);
  const budget = monthBudget(settings, taken);
  const { info } = wallet;
  const lastTopUp = topUps.find(({ state }) => state === "paid")?.amount;
  const total = add(funds.account, funds.coins, funds.onItsWay);
  return {
    state: "ready",
    phraseConfirmed: wallet.phraseConfirmed,
    phraseReminder: context.ports.mode === "test" ? "none" : phraseReminder(wallet, total, context.nowMs()),
    restoring: wallet.recovery !== "none",
    restore,
    backup: {
      savedAt: backup.savedAt ?? null,
      isUnsaved: backup.state !== "saved",
      error: backup.error === undefined ? null : showError(backup.error),
    },
    resting: wallet.isResting ?? false,
    paidOut: wallet.closure?.state === "done" ? text(wallet.closure.returned) : null,
    elsewhere: text(add(...devices.map(({ coinsValue }) => coinsValue))),
    currency: currencyOf(wallet),
    provider: {
      origin: wallet.providerOrigin,
      name: info?.name ?? new URL(wallet.providerOrigin).host,
      sandbox: info?.sandbox ?? false,
      mode: context.ports.mode === "test" ? "test" : modeOf(info),
      reachable: context.memory.isReachable,
    },
    testMode: testModeOf(context, info),
    balance: {
      total: text(total),
      account: text(funds.account),
      coins: text(funds.coins),
      onItsWay: text(funds.onItsWay),
      isLow: isLow(total, payments) && !topUps.some(({ state }) => state === "open"),
      inFlight: text(funds.inFlight),
    },
    frozen: wallet.account?.frozen ?? false,
    paused: settings.paused,
    month: { spent: text(spent), budget: budget ? showBudget(budget) : null },
    payments: payments.map((payment) => showPayment(payment)),
    allowances: await showAllowances(tables, allowances, nowMs),
    topUps: topUps.map((topUp) => showTopUp(topUp)),
    topUpAmounts: topUpAmounts(info?.topUps, lastTopUp).map(text),
    topUpRange: info ? { least: text(info.topUps.least), most: text(info.topUps.most) } : null,
    lastTopUp: lastTopUp === undefined ? null : text(lastTopUp),
    approvals: await Promise.all(
      approvals.map(async (approval) =>
        showApproval(approval, funds, total, await standingAt(tables, approval.order.origin, nowMs), nowMs),
      ),
    ),
  };
}

/** What was stored before providers had a mode lacks it. */
function modeOf(info: Partial<ProviderInfo> | undefined): ProviderInfo["mode"] {
  return info?.mode ?? "live";
}

function testModeOf({ ports }: Context, info: ProviderInfo | undefined): WalletSnapshotJson["testMode"] {
  if (ports.mode === "test") return "on";
  return info?.counterpart !== undefined && modeOf(info) === "live" ? "offered" : "none";
}

export function currencyOf({ info }: Pick<WalletRow, "info">): string {
  return info?.currency ?? DEFAULT_CURRENCY;
}

function emptySnapshot({ ports, memory }: Context): Unprotected {
  const { defaultProviderOrigin: origin, mode = "live" } = ports;
  return {
    state: "none",
    phraseConfirmed: false,
    phraseReminder: "none",
    restoring: false,
    restore: null,
    backup: { savedAt: null, isUnsaved: false, error: null },
    resting: false,
    paidOut: null,
    elsewhere: "0",
    currency: DEFAULT_CURRENCY,
    provider: {
      origin,
      name: new URL(origin).host,
      sandbox: mode === "test",
      mode,
      reachable: memory.isReachable,
    },
    testMode: mode === "test" ? "on" : "none",
    balance: { total: "0", account: "0", coins: "0", onItsWay: "0", inFlight: "0", isLow: false },
    frozen: false,
    paused: false,
    month: { spent: "0", budget: null },
    payments: [],
    allowances: [],
    topUps: [],
    topUpAmounts: [],
    topUpRange: null,
    lastTopUp: null,
    approvals: [],
  };
}

async function showRestore(
  tables: StoreTables,
  { recovery }: WalletRow,
): Promise<WalletSnapshotJson["restore"]> {
  const kept = await restoreRow(tables);
  if (!kept && recovery !== "pending") return null;
  const row = kept ?? { receipts: 0, receiptsInBackup: 0, coins: 0, damagedParts: 0 };
  const coinsToCheck = (await uncheckedCoins(tables)).length;
  const { receipts, receiptsInBackup, coins, damagedParts } = row;
  const phase = recovery === "pending" ? "reading" : recovery === "searching" ? "searching" : "checking";
  return { phase, receipts, receiptsInBackup, coins, coinsToCheck, damagedParts };
}

export function showPayment(payment: PaymentSummary): WalletSnapshotJson["payments"][number] {
  const { order, paidAtSeconds } = payment;
  const until =
    paidAtSeconds === undefined || payment.state !== "paid"
      ? null
      : (paidAtSeconds + order.refundWindowSeconds) * 1_000;
  return {
    id: payment.id,
    at: payment.at,
    amount: text(payment.amount),
    kind: order.kind,
    title: order.title,
    merchantName: order.merchantName,
    origin: payment.origin,
    resource: order.resourceUrl,
    state: shownState(payment),
    refundableUntil: until,
    unopened: payment.refundCause === "content_unreadable",
    askedBack: payment.state === "paid" && payment.error === "refund_limit",
    error: payment.error === undefined ? null : showError(payment.error),
  };
}

export function shownState({ state }: PaymentSummary): WalletSnapshotJson["payments"][number]["state"] {
  return state === "created" || state === "sent" || state === "unknown" || state === "cancelling"
    ? "pending"
    : state;
}

async function showAllowances(
  tables: StoreTables,
  allowances: readonly AllowanceRow[],
  nowMs: number,
): Promise<WalletSnapshotJson["allowances"]> {
  const day = dayOf(nowMs);
  const [today, thisMonth] = await Promise.all([
    unaskedBySite(tables, day),
    unaskedBySite(tables, monthOf(day)),
  ]);
  return allowances.map((allowance) => {
    const { origin, merchantName, at } = allowance;
    const budgets = budgetsOf(allowance, today.get(origin) ?? ZERO, thisMonth.get(origin) ?? ZERO);
    const tightest = budgets
      .filter(({ of }) => of !== "site_payment")
      .reduce((least, budget) => (budget.left < least.left ? budget : least), budgets.at(-1) ?? NO_BUDGET);
    return {
      origin,
      merchantName,
      budgets: budgets.map(showBudget),
      limit: text(tightest.limit),
      left: text(tightest.left),
      since: at,
    };
  });
}

const NO_BUDGET = { limit: ZERO, left: ZERO };

async function unaskedBySite(tables: StoreTables, period: string): Promise<ReadonlyMap<string, Micros>> {
  const rows = await tables.spending.where("period", period);
  return new Map(rows.map(({ origin, unasked }) => [origin, unasked]));
}

function showBudget({ of, limit, left }: Budget): NonNullable<WalletSnapshotJson["month"]["budget"]> {
  return { of, limit: text(limit), left: text(left) };
}

function showTopUp({ id, amount, state, at, checkoutUrl }: TopUpRow): WalletSnapshotJson["topUps"][number] {
  return { id, amount: text(amount), state, at, checkoutUrl };
}

function showApproval(
  approval: ApprovalRow,
  funds: Funds,
  total: Micros,
  standing: Standing,
  nowMs: number,
): WalletSnapshotJson["approvals"][number] {
  const { order } = approval;
  const isExpired = approval.state === "asking" && approval.expiresAt <= nowMs;
  const amount = approval.amount ?? order.amount;
  const isAsking = approval.state === "asking" && !isExpired;
  const error = isExpired ? "approval_expired" : approval.error;
  const { site, month } = standing;
  const reason = isAsking ? exceeded(standing, amount) : undefined;
  return {
    id: approval.id,
    kind: order.kind,
    merchantName: order.merchantName,
    origin: order.origin,
    title: order.title,
    amount: text(amount),
    least: text(order.least),
    most: text(order.most),
    balanceAfter: isAsking && total >= amount ? text(subtract(total, amount)) : null,
    missing: isAsking && funds.spendable < amount ? text(subtract(amount, funds.spendable)) : null,
    refundWindowSeconds: order.refundWindowSeconds,
    refundPolicy: order.refundPolicy ?? null,
    reason: reason ? showBudget(reason) : null,
    budgets: isAsking ? [...site, ...(month ? [month] : [])].map(showBudget) : [],
    privacy: {
      // Coins that do not fit yet are exchanged or fetched first, and fit then.
      hasChange: isAsking && (chooseCoins(funds.free, amount)?.change ?? ZERO) > ZERO,
      asksForMerchant: order.asksForMerchant ?? false,
      isShort: isAsking && funds.coins < amount,
    },
    state: isExpired ? "failed" : approval.state,
    error: error === undefined ? null : showError(error),
    at: approval.at,
  };
}

function showError(code: ErrorCode): { code: string; message: string } {
  return { code, message: tellReader(code) };
}

function text(amount: Micros): string {
  return amount.toString();
}
