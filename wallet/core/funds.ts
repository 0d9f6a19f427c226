/** What the reader has, and what of it can be spent. */
import { add, type Micros, micros, subtract, ZERO } from "../../shared/money.ts";
import { valueOf } from "./drawer.ts";
import type { StoreTables } from "./ports.ts";
import type { CoinRow, PaymentSummary, WalletRow } from "./rows.ts";

const RECENT_PAYMENTS = 10;
const PAYMENTS_AHEAD = 4n;
const LEAST_COMFORT = micros(250_000);

export interface Funds {
  /** In the account, at least zero. */
  readonly account: Micros;
  /** Free coins in the drawer, and their value. */
  readonly free: readonly CoinRow[];
  readonly coins: Micros;
  /** Change that is signed, and coins inside a swap. */
  readonly onItsWay: Micros;
  /** Coins in payments whose outcome is not known, less the change that will come back. */
  readonly inFlight: Micros;
  /** What can be paid with now: coins, what is on its way, and what may be withdrawn. */
  readonly spendable: Micros;
}

export async function countFunds(tables: StoreTables, wallet: WalletRow): Promise<Funds> {
  const [free, reserved, pendingChange, ...open] = await Promise.all([
    tables.coins.where("state", "free"),
    tables.coins.where("state", "reserved"),
    tables.paymentSummaries.where("change", "pending"),
    tables.paymentSummaries.where("state", "created"),
    tables.paymentSummaries.where("state", "sent"),
    tables.paymentSummaries.where("state", "unknown"),
    tables.paymentSummaries.where("state", "cancelling"),
  ]);
  const payments = open.flat();
  const coins = valueOf(free);
  const onItsWay = add(...pendingChange.map(changeOf), valueOf(inSwaps(reserved, payments)));
  const account = wallet.account ? atLeastZero(BigInt(wallet.account.balance)) : ZERO;
  const withdrawable =
    wallet.account && wallet.account.withdrawable < account ? wallet.account.withdrawable : account;
  return {
    account,
    free,
    coins,
    onItsWay: add(onItsWay, ...payments.map(changeOf)),
    inFlight: add(...payments.map(({ amount }) => amount)),
    spendable: add(coins, onItsWay, withdrawable),
  };
}

/** Too little for many more payments like the last ones: said before a page asks for more than there is. */
export function isLow(total: Micros, recent: readonly PaymentSummary[]): boolean {
  const paid = recent.filter(({ state }) => state === "paid").slice(0, RECENT_PAYMENTS);
  if (paid.length === 0) return false;
  const average = add(...paid.map(({ amount }) => amount)) / BigInt(paid.length);
  const wanted = average * PAYMENTS_AHEAD;
  return total < (wanted > LEAST_COMFORT ? wanted : LEAST_COMFORT);
}

function changeOf({ coinsValue, amount }: PaymentSummary): Micros {
  return subtract(coinsValue, amount);
}

function inSwaps(reserved: readonly CoinRow[], payments: readonly PaymentSummary[]): CoinRow[] {
  const ids = new Set(payments.map(({ id }) => id));
  return reserved.filter(({ holder }) => holder === undefined || !ids.has(holder));
}

function atLeastZero(amount: bigint): Micros {
  return micros(amount > 0n ? amount : 0n);
}
