/**
 * A payment, from its reservation to its end.
 *
 *   created     coins and budget are taken; nothing has left the wallet (mode `http`, before it is sealed)
 *   sent        the bytes are stored, and may have been sent, by the wallet (direct) or the site (http)
 *   unknown     they were sent, and no answer that means anything came back
 *   cancelling  its time is over and the provider has not seen it: its coins are being swapped for fresh ones
 *   paid        receipt stored, coins gone; then `refunding`, `refunded` (refunds.ts)
 *   failed      not paid, coins free again
 *
 * created → sent → paid, or failed on a refusal that is definite. sent → unknown where nobody answered: the same
 * bytes are sent again, with growing pauses, until the payment expires. From then on the wallet asks by id: paid, or
 * not seen, and then it swaps the coins, so that bytes that are still under way find them spent; whichever
 * commits first wins, and the loser of the two asks again. A refusal of a payment that was `unknown` before counts only
 * after the provider said by id that it does not have it. `coin_spent` has the payment's coins checked, the spent ones
 * put aside, and another payment, under another id, made of others.
 */
import type * as v from "valibot";
import { utf8 } from "../../shared/bytes.ts";
import { ERRORS, type ErrorCode, isErrorCode, TuppenceError } from "../../shared/errors.ts";
import { paymentBinding, sealTo } from "../../shared/hpke.ts";
import { signJws } from "../../shared/jws.ts";
import type { HolderLookupClaims } from "../../shared/protocol/provider.ts";
import type { PaymentResult, SettleResponse } from "../../shared/protocol/x402.ts";
import { X402_VERSION } from "../../shared/protocol/x402.ts";
import { verifyReceipt } from "../../shared/receipt.ts";
import { giveBudgetBack } from "./budgets.ts";
import {
  asTuppenceError,
  type Context,
  isFinal,
  knowProvider,
  refreshProvider,
  TRY_AGAIN_AFTER_MS,
} from "./context.ts";
import { refreshKeysets } from "./keysets.ts";
import type { StoreTables } from "./ports.ts";
import { acceptedJson } from "./reserve.ts";
import type { CoinRow, PaymentRow, PaymentState } from "./rows.ts";
import { spentAmong, swapBack } from "./swaps.ts";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A payment that stays open long after its time is asked about by its age, which no death sets back: each twentieth of it. */
const OVERDUE_PARTS = 20;
const LONGEST_OVERDUE_PAUSE_MS = 900_000;
/** While somebody waits for the outcome. */
const LONGEST_WATCHED_PAUSE_MS = 5_000;
/** How often an order is tried again with other coins, where some were found to be spent. */
const MAX_SPENT_RETRIES = 3;
/** How long a page waits for a provider that does not answer. The payment goes on after that. */
const PATIENCE_MS = 20_000;
/** When the wallet asks how a payment stands that a site's back end carries; after its expiry it asks anyway. */
const HTTP_LOOKUPS_AFTER_MS = [2_000, 10_000, 30_000] as const;
/** After the expiry, for a site's request that is still being judged. */
const EXPIRY_GRACE_MS = 2_000;

const OPEN_STATES: readonly PaymentState[] = ["created", "sent", "unknown", "cancelling"];

/**
 * Some of its coins were spent already, or its blank ones are signed no more, and it is worth trying with others. Not
 * where a site carried it: that is found when its time is over, and nobody waits to carry another.
 */
export function wantsOtherCoins(payment: PaymentRow): boolean {
  return (
    payment.state === "failed" &&
    payment.order.mode === "direct" &&
    (payment.error === "coin_spent" || payment.error === "keyset_unknown") &&
    payment.spentRetries < MAX_SPENT_RETRIES
  );
}

/** Its outcome, its change or its refund is not here yet. */
export function isUnfinished(payment: Pick<PaymentRow, "state" | "change">): boolean {
  return isOpen(payment) || payment.state === "refunding" || payment.change === "pending";
}

export function isOpen(payment: Pick<PaymentRow, "state">): boolean {
  return OPEN_STATES.includes(payment.state);
}

interface Waiter {
  readonly sinceMs: number;
  readonly resolve: (payment: PaymentRow) => void;
  readonly reject: (error: unknown) => void;
}

interface Drive {
  readonly waiters: Set<Waiter>;
  /** Ends a pause that is longer than anybody should wait for, and no other: a page may ask in a loop. */
  endPause: () => void;
}

/** What drives payments on: one drive per payment and process, however many wait for it. */
export interface PaymentDrives {
  /** Resolves when the payment is decided, whichever way. @throws the last error, when the provider stays silent for too long */
  outcome(paymentId: string): Promise<PaymentRow>;
  /** Drives it without anyone waiting; `stored` as it stands in the store, so that it is not read again before it is sent. */
  start(paymentId: string, stored?: PaymentRow): void;
  /** Asks the provider by id, once, if the payment is open. */
  ask(paymentId: string): Promise<PaymentRow>;
}

export function drivePayments(context: Context): PaymentDrives {
  const drives = new Map<string, Drive>();
  const drive = (paymentId: string, stored?: PaymentRow): Drive => {
    const before = drives.get(paymentId);
    if (before) return before;
    const waiters = new Set<Waiter>();
    const running: Drive = { waiters, endPause: () => undefined };
    drives.set(paymentId, running);
    const pause = (milliseconds: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const most = waiters.size > 0 ? LONGEST_WATCHED_PAUSE_MS : Number.POSITIVE_INFINITY;
        if (Math.min(milliseconds, most) > LONGEST_WATCHED_PAUSE_MS) running.endPause = resolve;
        context.ports.scheduler.delay(Math.min(milliseconds, most)).then(resolve, reject);
      });
    const giveUpOn = (error: unknown, isOver: boolean): void => {
      for (const waiter of [...waiters]) {
        if (!isOver && context.nowMs() - waiter.sinceMs < PATIENCE_MS) continue;
        waiters.delete(waiter);
        waiter.reject(error);
      }
    };
    context.inBackground(async () => {
      try {
        const failedAgain = (error: TuppenceError) => giveUpOn(error, false);
        const payment = await driveToItsEnd(context, paymentId, stored, { failedAgain, pause });
        drives.delete(paymentId);
        for (const { resolve } of waiters) resolve(payment);
      } catch (error) {
        drives.delete(paymentId);
        giveUpOn(error, true);
        throw error;
      }
    });
    return running;
  };
  return {
    start: (paymentId, stored) => void drive(paymentId, stored),
    ask: async (paymentId) => {
      const payment = await context.store.read((tables) => tables.payments.get(paymentId));
      if (!payment) throw new TuppenceError("payment_unknown");
      return payment.state === "sent" || payment.state === "unknown" ? lookUp(context, payment) : payment;
    },
    outcome: (paymentId) =>
      new Promise((resolve, reject) => {
        const { waiters, endPause } = drive(paymentId);
        waiters.add({ sinceMs: context.nowMs(), resolve, reject });
        endPause();
      }),
  };
}

async function driveToItsEnd(
  context: Context,
  paymentId: string,
  stored: PaymentRow | undefined,
  driver: {
    readonly failedAgain: (error: TuppenceError) => void;
    readonly pause: (milliseconds: number) => Promise<void>;
  },
): Promise<PaymentRow> {
  for (let failures = 0; ; failures++) {
    const payment =
      failures === 0 && stored
        ? stored
        : await context.store.read((tables) => tables.payments.get(paymentId));
    if (!payment) throw new TuppenceError("payment_unknown");
    if (!isOpen(payment)) return payment;
    // Should the process die before this payment is decided, it is taken up then.
    if (failures > 0 || payment.order.mode === "http")
      context.wakeAt(
        Math.max(
          payment.expiresAt + EXPIRY_GRACE_MS,
          context.nowMs() + Math.max(TRY_AGAIN_AFTER_MS, longestPauseMs(payment, context.nowMs())),
        ),
      );
    let fault: TuppenceError | undefined;
    try {
      const next = await step(context, payment);
      if (!isOpen(next)) return next;
    } catch (error) {
      fault = asTuppenceError(error);
      driver.failedAgain(fault);
    }
    await driver.pause(pauseMs(context, payment, failures, fault?.code));
    // However long the provider wants to be left alone, whoever waits hears of it in time.
    while (context.quietMs() > 0) {
      await context.ports.scheduler.delay(Math.min(context.quietMs(), LONGEST_WATCHED_PAUSE_MS));
      if (fault) driver.failedAgain(fault);
    }
  }
}

function pauseMs(context: Context, payment: PaymentRow, failures: number, error?: ErrorCode): number {
  // A provider that is away bears no questions, and the reader who is back on the network waits for the first answer.
  if (isLongOverdue(payment, context.nowMs()) && error !== "provider_unreachable")
    return longestPauseMs(payment, context.nowMs());
  const growing = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 10), LONGEST_PAUSE_MS);
  const untilExpiry = payment.expiresAt + EXPIRY_GRACE_MS - context.nowMs();
  if (payment.order.mode === "direct" || untilExpiry <= 0) return growing;
  const age = context.nowMs() - payment.at;
  const next = HTTP_LOOKUPS_AFTER_MS.find((after) => after > age);
  const untilLookUp = next === undefined ? LONGEST_PAUSE_MS : next - age;
  return Math.max(1, Math.min(untilLookUp, untilExpiry));
}

/** The longest pause, in milliseconds, between two questions about an open payment that nobody waits for. */
export function longestPauseMs({ expiresAt }: Pick<PaymentRow, "expiresAt">, nowMs: number): number {
  return Math.min(Math.max(LONGEST_PAUSE_MS, (nowMs - expiresAt) / OVERDUE_PARTS), LONGEST_OVERDUE_PAUSE_MS);
}

/** Its time has been over for so long that nobody is kept waiting for it. */
export function isLongOverdue(payment: Pick<PaymentRow, "expiresAt">, nowMs: number): boolean {
  return longestPauseMs(payment, nowMs) > LONGEST_PAUSE_MS;
}

async function step(context: Context, payment: PaymentRow): Promise<PaymentRow> {
  const isOver = context.nowMs() >= payment.expiresAt + (payment.order.mode === "http" ? EXPIRY_GRACE_MS : 0);
  if (payment.state === "created")
    return isOver ? fail(context, payment, "payment_expired") : sealPayment(context, payment);
  if (payment.state === "cancelling" || isOver) return resolveById(context, payment);
  return payment.order.mode === "direct" ? send(context, payment) : lookUp(context, payment);
}

async function send(context: Context, payment: PaymentRow): Promise<PaymentRow> {
  const { provider } = await context.open();
  let answer: SettleResponse;
  try {
    answer = await provider.settle(payment.body);
  } catch (error) {
    return isFinal(error)
      ? refused(context, payment, error.code)
      : staysUnknown(context, payment, asTuppenceError(error));
  }
  if (answer.success) return settled(context, payment, answer.extensions.tuppence);
  const code = isErrorCode(answer.errorReason) ? answer.errorReason : "provider_answer_invalid";
  if (ERRORS[code].retry !== "never") return staysUnknown(context, payment, new TuppenceError(code));
  return refused(context, payment, code);
}

/** Never resolves: the caller tries again. */
async function staysUnknown(context: Context, payment: PaymentRow, error: TuppenceError): Promise<never> {
  await changePayment(context, payment.id, (row) =>
    row.state === "sent" || row.state === "unknown"
      ? { ...row, state: "unknown", attempts: row.attempts + 1, error: error.code }
      : row,
  );
  throw error;
}

async function refused(context: Context, payment: PaymentRow, code: ErrorCode): Promise<PaymentRow> {
  if (payment.state === "unknown") {
    // An earlier copy of these bytes may have arrived.
    const result = await askById(context, payment);
    if (result) return settled(context, payment, result);
  }
  // Before it has failed, so that the next attempt makes its blank coins under what is signed now.
  if (code === "keyset_unknown") await refreshKeysets(context);
  return code === "coin_spent" ? putSpentAside(context, payment, code) : fail(context, payment, code);
}

/** The answer of a paid payment, into the store, in one transaction: receipt, key and change in; coins out. */
async function settled(context: Context, payment: PaymentRow, result: PaymentResult): Promise<PaymentRow> {
  const { order } = payment;
  const expected = {
    issuer: (await context.open()).row.providerOrigin,
    merchant: order.merchant,
    resource: order.resourceUrl,
    leastAmount: payment.amount,
  };
  const claims =
    (await verifyReceipt(result.receipt, (await knowProvider(context)).jwks, expected)) ??
    (await verifyReceipt(result.receipt, (await refreshProvider(context)).jwks, expected));
  if (claims?.jti !== payment.id || (payment.blanks && !result.change)) {
    return staysUnknown(
      context,
      payment,
      new TuppenceError("provider_answer_invalid", { answer: "receipt" }),
    );
  }
  const row = await changePayment(
    context,
    payment.id,
    (kept) =>
      isOpen(kept)
        ? {
            ...kept,
            state: "paid",
            receipt: result.receipt,
            change: kept.blanks ? "pending" : "none",
            changeSignatures: kept.blanks ? result.change : undefined,
            paidAtSeconds: claims.iat,
            contentKey: result.contentKey,
            contentKeySeal: result.contentKey === undefined ? undefined : order.seal,
            error: undefined,
          }
        : kept,
    async (tables, kept) => {
      await tables.coins.removeAll(kept.coinSecrets);
      await endSwapsBack(tables, kept);
      await closeApproval(tables, kept, undefined);
    },
  );
  return row;
}

/** Not paid, and never will be: coins and budget are free again. */
async function fail(context: Context, payment: PaymentRow, code: ErrorCode): Promise<PaymentRow> {
  return changePayment(
    context,
    payment.id,
    (kept) => (isOpen(kept) ? { ...kept, state: "failed", error: code } : kept),
    async (tables, kept) => {
      await freeCoins(tables, kept, new Set());
      await giveBudgetBack(tables, kept);
      await closeApproval(tables, kept, code);
    },
  );
}

/** Some coin of the payment is spent: those are put aside, the others are free, and the payment failed. */
async function putSpentAside(context: Context, payment: PaymentRow, code: ErrorCode): Promise<PaymentRow> {
  const spent = await spentAmong(context, payment.coinSecrets);
  return changePayment(
    context,
    payment.id,
    (kept) => (isOpen(kept) ? { ...kept, state: "failed", error: code } : kept),
    async (tables, kept) => {
      await freeCoins(tables, kept, spent);
      await giveBudgetBack(tables, kept);
      await closeApproval(tables, kept, code);
    },
  );
}

/** After the expiry: paid already, or the coins come back by a swap. */
async function resolveById(context: Context, payment: PaymentRow): Promise<PaymentRow> {
  const result = await askById(context, payment);
  if (result) return settled(context, payment, result);
  const cancelling = await changePayment(context, payment.id, (row) =>
    isOpen(row) ? { ...row, state: "cancelling" } : row,
  );
  if (!isOpen(cancelling)) return cancelling;
  try {
    await swapBack(context, cancelling);
  } catch (error) {
    // That says nothing about the coins: they are swapped once the wallet knows what for.
    if (!isFinal(error) || error.code === "keyset_unknown") throw error;
    const late = await askById(context, cancelling);
    return late ? settled(context, cancelling, late) : putSpentAside(context, cancelling, error.code);
  }
  return fail(context, cancelling, cancelling.error ?? "payment_expired");
}

async function lookUp(context: Context, payment: PaymentRow): Promise<PaymentRow> {
  const result = await askById(context, payment);
  return result ? settled(context, payment, result) : payment;
}

/** What the provider has under this payment's id; undefined if it has not seen it. */
export async function askById(
  context: Context,
  payment: Pick<PaymentRow, "id">,
  seal?: string,
): Promise<PaymentResult | undefined> {
  const { keys, provider, row } = await context.open();
  const { holder } = await keys.payment(payment.id);
  const ask = async () => {
    const claims: v.InferInput<typeof HolderLookupClaims> = {
      aud: row.providerOrigin,
      jti: payment.id,
      iat: context.nowSeconds(),
    };
    const proof = await signJws("tuppence-holder+jwt", claims, holder, "jwk");
    return provider.lookup(payment.id, { proof, ...(seal === undefined ? {} : { seal }) });
  };
  try {
    const answer = await ask().catch((error: unknown) => {
      const serverTime =
        error instanceof TuppenceError && error.code === "clock_skew" ? error.details.serverTime : undefined;
      if (typeof serverTime !== "number") throw error;
      context.memory.aheadSeconds = Math.round(serverTime - context.nowMs() / 1_000);
      return ask();
    });
    if (answer.success) return answer.extensions.tuppence;
    throw new TuppenceError(isErrorCode(answer.errorReason) ? answer.errorReason : "provider_answer_invalid");
  } catch (error) {
    if (error instanceof TuppenceError && error.code === "payment_unknown") return undefined;
    throw error;
  }
}

/** Seals what a site's back end will carry: it can neither read the coins nor use them otherwise. */
async function sealPayment(context: Context, payment: PaymentRow): Promise<PaymentRow> {
  const { info } = await knowProvider(context);
  const { order } = payment;
  const accepted = acceptedJson(order, payment.amount);
  const expiresAt = Math.floor(payment.expiresAt / 1_000);
  const sealed = await sealTo(
    info.sealingKey,
    "tuppence payment v1",
    paymentBinding(accepted, order.resourceUrl, expiresAt),
    utf8(payment.paymentJson),
  );
  const resource: unknown = JSON.parse(order.resourceJson);
  const payload = { x402Version: X402_VERSION, resource, accepted, payload: { ...sealed, expiresAt } };
  return changePayment(context, payment.id, (row) =>
    row.state === "created" ? { ...row, state: "sent", body: toBase64(JSON.stringify(payload)) } : row,
  );
}

/** x402 puts its headers into base64, the common one. */
function toBase64(text: string): string {
  let binary = "";
  for (const byte of utf8(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** One transaction over one payment; `also` runs in it if the row changed. */
export async function changePayment(
  context: Context,
  paymentId: string,
  change: (row: PaymentRow) => PaymentRow,
  also: (tables: StoreTables, row: PaymentRow) => Promise<void> = async () => undefined,
): Promise<PaymentRow> {
  const changed = await context.store.transaction(async (tables) => {
    const row = await tables.payments.get(paymentId);
    if (!row) throw new TuppenceError("payment_unknown");
    const next = change(row);
    if (next === row) return row;
    await tables.payments.put(next);
    await also(tables, next);
    return next;
  });
  context.changed();
  return changed;
}

/** Only coins that this payment still holds: a swap may have replaced them. */
async function freeCoins(
  tables: StoreTables,
  payment: PaymentRow,
  spent: ReadonlySet<string>,
): Promise<void> {
  const coins = await Promise.all(payment.coinSecrets.map((secret) => tables.coins.get(secret)));
  const held = coins.filter((coin): coin is CoinRow => coin?.holder === payment.id);
  await tables.coins.putAll(
    held.map((coin) => ({ ...coin, state: spent.has(coin.secret) ? "spent" : "free", holder: undefined })),
  );
}

/** The payment was first: what was asked for to take its coins back will never be signed. */
async function endSwapsBack(tables: StoreTables, payment: PaymentRow): Promise<void> {
  const begun = (await tables.swaps.where("state", "created")).filter(
    ({ paymentId }) => paymentId === payment.id,
  );
  await tables.swaps.putAll(begun.map((swap) => ({ ...swap, state: "failed", error: "coin_spent" })));
}

async function closeApproval(
  tables: StoreTables,
  payment: PaymentRow,
  error: ErrorCode | undefined,
): Promise<void> {
  // More than one, where several windows asked about the same article.
  const approvals = (await tables.approvals.where("state", "paying")).filter(
    ({ paymentId }) => paymentId === payment.id,
  );
  const state = wantsOtherCoins(payment) ? "approved" : error === undefined ? "paid" : "failed";
  await tables.approvals.putAll(
    approvals.map((approval) => ({ ...approval, state, error: state === "approved" ? undefined : error })),
  );
}
