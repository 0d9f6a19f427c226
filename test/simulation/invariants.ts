/**
 * What must hold when everything is back and at rest: the invariants of the money, to the micro, computed here from the
 * ledger's transfers and from what the wallets hold, not with the product's own sums.
 */
import type { Deps } from "../../server/deps.ts";
import { floatAccount, merchantAccount, readerAccount } from "../../server/ledger/accounts.ts";
import { coinTransferId } from "../../server/ledger/ids.ts";
import type { PostedTransfer, TransferCode } from "../../server/ledger/ledger.ts";
import { closingKey, readPayment } from "../../server/payments/index.ts";
import { auditSettlements, readStatement } from "../../server/settlement/index.ts";
import { thumbprintOf } from "../../shared/jws.ts";
import { openKeys } from "../../wallet/core/keys.ts";
import type { PaymentRow, PaymentState } from "../../wallet/core/rows.ts";
import type { Browser } from "./browser.ts";
import { yOf } from "./curve.ts";
import { type Observer, Violation } from "./observer.ts";
import type { Shop } from "./shop.ts";

const MOST_TRANSFERS = 10_000;
const BASIS_POINTS = 10_000n;
const MINOR_UNIT = 10_000n;

export interface Rest {
  readonly deps: Deps;
  readonly browsers: readonly Browser[];
  readonly shops: readonly Shop[];
  readonly observer: Observer;
}

/** @throws Violation */
export async function checkInvariants(rest: Rest): Promise<void> {
  const { deps, browsers, shops } = rest;
  same("the ledger's audit", (await deps.ledger.audit()).differences, []);
  same("the settlements' audit", await auditSettlements(deps), []);
  let held = 0n;
  for (const browser of browsers) held += await checkBrowser(rest, browser);
  const keysetId = deps.mint.activeKeysetId();
  same("float is what the wallets hold", await deps.ledger.balance(floatAccount(keysetId)), held);
  const float = await transfersOf(deps, floatAccount(keysetId));
  same("float is issued less redeemed", total(float.in) - total(float.out), held);
  for (const shop of shops) await checkShop(rest, shop);
  checkPaymentIds(rest, float.out);
}

async function listed<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

/** The reader has the coins or the receipt; nothing is under way any more. Answers what coins the wallet holds. */
async function checkBrowser({ deps, observer }: Rest, browser: Browser): Promise<bigint> {
  same(`${browser.name} is at rest`, await openWork(browser), []);
  const { payments, coins, wallet } = await browser.store.read(async (tables) => ({
    payments: await tables.payments.all(),
    coins: await tables.coins.all(),
    wallet: (await tables.wallet.all())[0],
  }));
  if (!wallet) return 0n;

  const spent = await deps.ledger.existing(coins.map(({ secret }) => coinTransferId(yOf(secret))));
  let held = 0n;
  for (const { secret, state, amount } of coins) {
    const isSpent = spent.has(coinTransferId(yOf(secret)));
    same(
      `${browser.name}: a ${state} coin of ${amount} is spent at the provider`,
      isSpent,
      state === "spent",
    );
    if (state === "free") held += amount;
  }

  for (const payment of payments) await checkPayment(deps, observer, browser, payment);
  const bought = new Map<string, string>();
  for (const { state, order, resourceKey, id } of payments) {
    if (state !== "paid" || order.kind !== "article") continue;
    same(`${browser.name} paid ${resourceKey} once`, bought.get(resourceKey) ?? id, id);
    bought.set(resourceKey, id);
  }

  await checkSpending(browser, payments);

  const { account } = await openKeys(wallet.seedHex);
  const name = readerAccount(await thumbprintOf(account.publicJwk));
  const { in: credits, out: debits } = await transfersOf(deps, name);
  const toppedUp =
    total(withCode(credits, "top_up")) -
    total(withCode(debits, "chargeback")) +
    total(withCode(credits, "write_off"));
  const paid = payments.filter(({ state }) => state === "paid").reduce((sum, { amount }) => sum + amount, 0n);
  same(
    `${browser.name}: coins, account and what was paid are what was topped up`,
    held + (await deps.ledger.balance(name)) + paid,
    toppedUp,
  );
  return held;
}

/** What the limits are judged by is what the payments come to: counted once each, and what came back not at all. */
async function checkSpending(browser: Browser, payments: readonly PaymentRow[]): Promise<void> {
  const rows = await browser.store.read((tables) => tables.spending.all());
  const counted = new Map(
    rows.map(({ period, origin, spent, unasked }) => [`${period} ${origin}`, { spent, unasked }]),
  );
  const expected = new Map<string, { spent: bigint; unasked: bigint }>();
  for (const { state, day, origin, amount, fromAllowance } of payments) {
    if (state === "failed" || state === "refunded") continue;
    for (const key of [
      `${day} `,
      `${day} ${origin}`,
      `${day.slice(0, 7)} `,
      `${day.slice(0, 7)} ${origin}`,
    ]) {
      const { spent, unasked } = expected.get(key) ?? { spent: 0n, unasked: 0n };
      expected.set(key, { spent: spent + amount, unasked: fromAllowance ? unasked + amount : unasked });
    }
  }
  for (const key of new Set([...counted.keys(), ...expected.keys()])) {
    const nothing = { spent: 0n, unasked: 0n };
    same(`${browser.name}: spent in ${key}`, counted.get(key) ?? nothing, expected.get(key) ?? nothing);
  }
}

/** What the wallet still has to do, in words. */
export function openWork({ store }: Browser): Promise<string[]> {
  return store.read(async (tables) => [
    ...(await tables.payments.all())
      .filter(({ state, change }) => !ENDED.includes(state) || change === "pending")
      .map(({ id, state, change, error }) => `payment ${id}: ${state}, change ${change}, ${error}`),
    ...(await tables.withdrawals.all())
      .filter(({ state }) => state === "created" || state === "quoted")
      .map(({ id, state }) => `withdraw ${id}: ${state}`),
    ...(await tables.swaps.where("state", "created")).map(({ id }) => `swap ${id}`),
    ...(await tables.approvals.all())
      .filter(({ state }) => state === "approved" || state === "paying")
      .map(({ id, state }) => `approval ${id}: ${state}`),
    ...(await tables.coins.where("state", "reserved")).map(({ holder }) => `a coin is reserved by ${holder}`),
  ]);
}

const ENDED: readonly PaymentState[] = ["paid", "failed", "refunded"];

async function checkPayment(
  deps: Deps,
  observer: Observer,
  browser: Browser,
  { id, state, receipt, amount, order }: PaymentRow,
): Promise<void> {
  const paid = await readPayment(deps.ledger, id);
  const isRefunded = (await deps.ledger.record(`refund:${id}`)) !== undefined;
  const said = paid === undefined ? "failed" : isRefunded ? "refunded" : "paid";
  same(`${browser.name}: payment ${id} stands alike in wallet and ledger`, state, said);
  if (paid === undefined) return;
  const { record } = paid;
  same(
    `payment ${id} was made as the reader accepted it`,
    [record.merchant, record.amount, record.resource],
    [order.merchant, amount, order.resourceUrl],
  );
  if (receipt === undefined)
    throw new Violation(`coins or receipt: ${browser.name} paid ${id} and has no receipt`);
  same(`payment ${id} has one receipt`, receipt, observer.receipts.get(id) ?? receipt);
}

/** Invariant 5, without the product's own sums: each settlement, and all of them, from the transfers. */
async function checkShop({ deps }: Rest, shop: Shop): Promise<void> {
  const { in: credits, out: debits } = await transfersOf(deps, merchantAccount(shop.id));
  const payments = withCode(credits, "payment");
  const refunds = withCode(debits, "refund");
  const fees = withCode(debits, "fee");
  const payouts = withCode(debits, "payout");
  const balance = await deps.ledger.balance(merchantAccount(shop.id));
  same(
    `${shop.id}: payments − refunds − fees − payouts are its balance`,
    total(payments) - total(refunds) - total(fees) - total(payouts),
    balance,
  );
  let after = 0;
  let carried = 0n;
  for (let number = 1; ; number++) {
    const statement = await readStatement(deps.ledger, { id: shop.id, name: shop.id }, number);
    const isClosed = (await deps.ledger.record(closingKey(shop.id, number))) !== undefined;
    same(`${shop.id}: settlement ${number} has its closing`, isClosed, statement !== undefined);
    if (!statement) break;
    const { settlement } = statement;
    const lines = await listed(statement.lines());
    same(`${shop.id}: settlement ${number} follows the one before`, settlement.afterSequence, after);
    const covered = payments.filter(
      ({ sequence }) => sequence > after && sequence <= settlement.upToSequence,
    );
    const ids = new Set(covered.map(({ reference }) => reference));
    const given = refunds.filter(({ reference }) => ids.has(reference));
    const turnover = total(covered) - total(given);
    const fee = fees.filter(({ reference }) => reference === `settlement:${shop.id}:${number}`);
    const payout = payouts.filter(({ reference }) => reference === `settlement:${shop.id}:${number}`);
    const exactFee = turnover * BigInt(settlement.feeBasisPoints);
    same(`${shop.id}: settlement ${number} took its fee`, total(fee), rounded(exactFee));
    const due = carried + turnover - total(fee);
    same(
      `${shop.id}: statement ${number}`,
      [
        settlement.carryForwardIn,
        settlement.payments,
        settlement.refunds,
        settlement.fee,
        settlement.payout,
        settlement.carryForwardOut,
      ],
      [carried, total(covered), total(given), total(fee), total(payout), due - total(payout)],
    );
    if (total(payout) % MINOR_UNIT !== 0n || total(payout) > due)
      throw new Violation(`statement: ${shop.id} was paid out ${total(payout)} of ${due}`);
    const signed = lines.reduce((sum, { type, amount }) => sum + (type === "payment" ? amount : -amount), 0n);
    same(`${shop.id}: the lines of statement ${number} add up`, signed, turnover);
    after = settlement.upToSequence;
    carried = settlement.carryForwardOut;
  }
  const unsettled = payments.filter(({ sequence }) => sequence > after);
  const ids = new Set(unsettled.map(({ reference }) => reference));
  const given = refunds.filter(({ reference }) => ids.has(reference));
  same(`${shop.id}: what was not settled is still there`, balance, carried + total(unsettled) - total(given));
}

/** One payment id: one charge, by one wallet, which knows of it. */
function checkPaymentIds({ observer }: Rest, spent: readonly PostedTransfer[]): void {
  const groups = new Map<string, string>();
  for (const { reference, groupId } of withCode(spent, "payment")) {
    same(`payment ${reference} is one charge`, groups.get(reference) ?? groupId, groupId);
    groups.set(reference, groupId);
    if (!observer.payments.has(reference))
      throw new Violation(`store, then send: no wallet knows payment ${reference}`);
  }
}

async function transfersOf(deps: Deps, account: string) {
  const side = async (which: "debit" | "credit") => {
    const found = await deps.ledger.transfers({ account, side: which, limit: MOST_TRANSFERS });
    if (found.length === MOST_TRANSFERS) throw new Error("a run has fewer transfers than that");
    return found;
  };
  return { in: await side("credit"), out: await side("debit") };
}

function withCode(transfers: readonly PostedTransfer[], code: TransferCode): PostedTransfer[] {
  return transfers.filter((transfer) => transfer.code === code);
}

function total(transfers: readonly PostedTransfer[]): bigint {
  return transfers.reduce((sum, { amount }) => sum + amount, 0n);
}

/** Largest remainder, of two parts; the fee comes first. */
function rounded(exact: bigint): bigint {
  const rest = exact % BASIS_POINTS;
  return exact / BASIS_POINTS + (rest * 2n >= BASIS_POINTS ? 1n : 0n);
}

function same(what: string, is: unknown, expected: unknown): void {
  const [a, b] = [text(is), text(expected)];
  if (a !== b) throw new Violation(`${what}: ${a}, expected ${b}`);
}

function text(value: unknown): string {
  return (
    JSON.stringify(value, (_, member: unknown) => (typeof member === "bigint" ? `${member}` : member)) ??
    "undefined"
  );
}
