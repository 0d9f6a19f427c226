/** What the wallet's own pages show, in one piece. */
import { type ErrorCode, tellReader } from "../../shared/errors.ts";
import { add, type Micros, subtract, ZERO } from "../../shared/money.ts";
import type { WalletSnapshotJson } from "../../shared/protocol/ui.ts";
import { uncheckedCoins } from "./backup/check.ts";
import { deviceRows, ownBackup, restoreRow } from "./backup/rows.ts";
import type { Context } from "./context.ts";
import { countFunds, type Funds } from "./funds.ts";
import type { StoreTables } from "./ports.ts";
import {
  type AllowanceRow,
  type ApprovalRow,
  type PaymentRow,
  type TopUpRow,
  WALLET_KEY,
  type WalletRow,
} from "./rows.ts";
import { topUpAmounts } from "./top-ups.ts";

const SHOWN_PAYMENTS = 50;
const SHOWN_TOP_UPS = 10;
const SHOWN_APPROVALS = 20;
/** Of a provider that was never reached. */
const DEFAULT_CURRENCY = "USD";

export async function takeSnapshot(context: Context): Promise<WalletSnapshotJson> {
  return context.store.read(async (tables) => {
    const wallet = await tables.wallet.get(WALLET_KEY);
    return wallet ? snapshotOf(context, tables, wallet) : emptySnapshot(context);
  });
}

async function snapshotOf(
  context: Context,
  tables: StoreTables,
  wallet: WalletRow,
): Promise<WalletSnapshotJson> {
  const [funds, payments, allowances, topUps, approvals, restore, backup, devices] = await Promise.all([
    countFunds(tables, wallet),
    tables.payments.newest(SHOWN_PAYMENTS),
    tables.allowances.all(),
    tables.topUps.newest(SHOWN_TOP_UPS),
    tables.approvals.newest(SHOWN_APPROVALS),
    showRestore(tables, wallet),
    ownBackup(tables),
    deviceRows(tables),
  ]);
  const { info } = wallet;
  const total = add(funds.account, funds.coins, funds.onItsWay);
  return {
    state: "ready",
    phraseConfirmed: wallet.phraseConfirmed,
    restoring: wallet.recovery !== "none",
    restore,
    backup: {
      savedAt: backup.savedAt ?? null,
      isUnsaved: backup.state !== "saved",
      error: backup.error === undefined ? null : showError(backup.error),
    },
    elsewhere: text(add(...devices.map(({ coinsValue }) => coinsValue))),
    currency: info?.currency ?? DEFAULT_CURRENCY,
    provider: {
      origin: wallet.providerOrigin,
      name: info?.name ?? new URL(wallet.providerOrigin).host,
      sandbox: info?.sandbox ?? false,
      reachable: context.memory.isReachable,
    },
    balance: {
      total: text(total),
      account: text(funds.account),
      coins: text(funds.coins),
      inFlight: text(funds.inFlight),
    },
    frozen: wallet.account?.frozen ?? false,
    payments: payments.map((payment) => showPayment(payment)),
    allowances: allowances.map((allowance) => showAllowance(allowance)),
    topUps: topUps.map((topUp) => showTopUp(topUp)),
    topUpAmounts: topUpAmounts(info?.topUps).map(text),
    approvals: approvals.map((approval) => showApproval(approval, funds, total, context.nowMs())),
  };
}

function emptySnapshot({ ports, memory }: Context): WalletSnapshotJson {
  const origin = ports.defaultProviderOrigin;
  return {
    state: "none",
    phraseConfirmed: false,
    restoring: false,
    restore: null,
    backup: { savedAt: null, isUnsaved: false, error: null },
    elsewhere: "0",
    currency: DEFAULT_CURRENCY,
    provider: { origin, name: new URL(origin).host, sandbox: false, reachable: memory.isReachable },
    balance: { total: "0", account: "0", coins: "0", inFlight: "0" },
    frozen: false,
    payments: [],
    allowances: [],
    topUps: [],
    topUpAmounts: [],
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

function showPayment(payment: PaymentRow): WalletSnapshotJson["payments"][number] {
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
    error: payment.error === undefined ? null : showError(payment.error),
  };
}

function shownState({ state }: PaymentRow): WalletSnapshotJson["payments"][number]["state"] {
  return state === "created" || state === "sent" || state === "unknown" || state === "cancelling"
    ? "pending"
    : state;
}

function showAllowance({
  origin,
  merchantName,
  limit,
  spent,
  at,
}: AllowanceRow): WalletSnapshotJson["allowances"][number] {
  return {
    origin,
    merchantName,
    limit: text(limit),
    left: text(spent < limit ? subtract(limit, spent) : ZERO),
    since: at,
  };
}

function showTopUp({ id, amount, state, at, checkoutUrl }: TopUpRow): WalletSnapshotJson["topUps"][number] {
  return { id, amount: text(amount), state, at, checkoutUrl };
}

function showApproval(
  approval: ApprovalRow,
  funds: Funds,
  total: Micros,
  nowMs: number,
): WalletSnapshotJson["approvals"][number] {
  const { order } = approval;
  const isExpired = approval.state === "asking" && approval.expiresAt <= nowMs;
  const amount = approval.amount ?? order.amount;
  const isAsking = approval.state === "asking" && !isExpired;
  const error = isExpired ? "approval_expired" : approval.error;
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
