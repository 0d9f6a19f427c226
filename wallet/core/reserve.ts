/**
 * The one transaction before anything is sent: coins and budget are taken, and the exact bytes of the request are
 * stored with them. Everything that needs curve or key work was made before, because a browser's transaction does
 * not wait for it.
 */
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import type { Micros } from "../../shared/money.ts";
import type {
  FacilitatorRequestJson,
  PaymentJson,
  PaymentRequirementsJson,
} from "../../shared/protocol/x402.ts";
import { PaymentRequirements, X402_VERSION } from "../../shared/protocol/x402.ts";
import { takeBudget } from "./budgets.ts";
import type { BlankCoin } from "./cashu.ts";
import { changeCoins, chooseCoins, valueOf } from "./drawer.ts";
import type { StoreTables } from "./ports.ts";
import { PAYMENT_COUNTER, type PreparedPayment } from "./prepared.ts";
import type { CoinRow, Order, PaymentRow } from "./rows.ts";

export interface Reservation {
  readonly order: Order;
  readonly amount: Micros;
  readonly prepared: PreparedPayment;
  /** Blank coins for the change, as many as were made. */
  readonly blanks: readonly BlankCoin[];
  /** True where nobody was asked: the site's allowance pays. */
  readonly fromAllowance: boolean;
  /** The day in which it counts as spent. */
  readonly day: string;
  /** Coins came from the account for it. */
  readonly isShort: boolean;
  readonly approvalId: string | undefined;
  readonly requestKey: string;
  readonly spentRetries: number;
  readonly nowMs: number;
}

/**
 * Blank coins for the change have to be made first; or the drawer does not hold enough, but the account may; or a refund
 * of the same article has to end first: if it is refused, the article is still paid for.
 */
export type Lacking =
  | { readonly lacks: "blanks"; readonly count: number }
  | { readonly lacks: "coins" }
  | { readonly lacks: "refund"; readonly paymentId: string };

/** What the transaction came to, or what it has to be run again with. */
export type Attempted<T> = { readonly done: T } | Lacking;

export async function reserve(tables: StoreTables, reservation: Reservation): Promise<Attempted<PaymentRow>> {
  const { order, amount, prepared, fromAllowance } = reservation;
  const choice = chooseCoins(await tables.coins.where("state", "free"), amount);
  if (!choice) return { lacks: "coins" };
  const count = changeCoins(choice);
  if (count > reservation.blanks.length) return { lacks: "blanks", count };
  const blanks = reservation.blanks.slice(0, count);
  const payment = paymentJson(prepared, choice.coins, blanks);
  const isDirect = order.mode === "direct";
  const row: PaymentRow = {
    id: prepared.id,
    device: prepared.device,
    counter: prepared.counter,
    state: isDirect ? "sent" : "created",
    order,
    origin: order.origin,
    resourceKey: resourceKeyOf(order.merchant, order.resourceUrl),
    amount,
    at: reservation.nowMs,
    day: reservation.day,
    requestKey: reservation.requestKey,
    isShort: reservation.isShort,
    approvalId: reservation.approvalId,
    fromAllowance,
    body: isDirect ? settleBody(order, amount, payment) : "",
    paymentJson: JSON.stringify(payment),
    expiresAt: reservation.nowMs + order.maxTimeoutSeconds * 1_000,
    coinSecrets: choice.coins.map(({ secret }) => secret),
    coinsValue: valueOf(choice.coins),
    blanks: blanks[0] && { keysetId: blanks[0].keysetId, count },
    change: "none",
    changeSignatures: undefined,
    attempts: 0,
    receipt: undefined,
    paidAtSeconds: undefined,
    contentKey: undefined,
    contentKeySeal: undefined,
    refund: undefined,
    error: undefined,
    spentRetries: reservation.spentRetries,
  };
  await Promise.all([
    tables.payments.put(row),
    tables.coins.putAll(choice.coins.map((coin) => ({ ...coin, state: "reserved", holder: row.id }))),
    countUp(tables, prepared.counter),
    takeBudget(tables, row),
  ]);
  return { done: row };
}

export function resourceKeyOf(merchant: string, resourceUrl: string): string {
  return `${merchant} ${resourceUrl}`;
}

/** The accepted offer as the page wrote it, with the amount that is paid: for a tip the reader's choice. */
export function acceptedJson(order: Order, amount: Micros): PaymentRequirementsJson {
  const accepted: unknown = {
    ...v.parse(v.looseObject({}), JSON.parse(order.acceptedJson)),
    amount: amount.toString(),
  };
  if (!v.is(PaymentRequirements, accepted)) throw new TuppenceError("offer_invalid");
  return accepted;
}

async function countUp(tables: StoreTables, counter: number): Promise<void> {
  const kept = (await tables.counters.get(PAYMENT_COUNTER))?.next ?? 0;
  await tables.counters.put({ key: PAYMENT_COUNTER, next: Math.max(kept, counter + 1) });
}

/** The proofs carry no DLEQ: its `r` would give away the withdraw. */
function paymentJson(
  { id, keys }: PreparedPayment,
  coins: readonly CoinRow[],
  blanks: readonly BlankCoin[],
): PaymentJson {
  return {
    paymentId: id,
    proofs: coins.map(({ amount, keysetId, secret, C }) => ({
      amount: Number(amount),
      id: keysetId,
      secret,
      C,
    })),
    holder: keys.holderThumbprint,
    refundHash: keys.refundHash,
    ...(blanks.length > 0
      ? { outputs: blanks.map(({ keysetId, B_ }) => ({ amount: 0, id: keysetId, B_ })) }
      : {}),
  };
}

function settleBody(order: Order, amount: Micros, payload: PaymentJson): string {
  const accepted = acceptedJson(order, amount);
  const request: FacilitatorRequestJson = {
    x402Version: X402_VERSION,
    paymentPayload: { x402Version: X402_VERSION, resource: { url: order.resourceUrl }, accepted, payload },
    paymentRequirements: accepted,
  };
  return JSON.stringify(request);
}
