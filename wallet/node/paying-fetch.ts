/**
 * `fetch` for programs that pay: where a site answers 402 with an offer that Tuppence can pay (x402, MPP), and it costs no more than
 * was allowed, the wallet pays and the request is sent again. What was bought before is asked for with its receipt, and costs
 * nothing. Everything else comes back as the site answered it.
 */
import { TuppenceError } from "../../shared/errors.ts";
import { formatMoney, type Micros } from "../../shared/money.ts";
import { readOffered } from "./offers.ts";
import type { ProgramWallet } from "./program.ts";

/** The site asks for more than was allowed. Nothing was paid. */
export class PriceTooHighError extends Error {
  override readonly name = "PriceTooHighError";
  readonly price: Micros;

  constructor(price: Micros, most: Micros, currency: string) {
    super(`It costs ${formatMoney(price, currency)}; at most ${formatMoney(most, currency)} was allowed.`);
    this.price = price;
  }
}

/** The site does not take the receipt of what it sold before, and the wallet pays nothing twice. */
export class AlreadyBoughtError extends Error {
  override readonly name = "AlreadyBoughtError";

  constructor() {
    super("This was bought before, and the site does not take the receipt.");
  }
}

/** The site is paid through another provider, e.g. the one of test mode. Nothing was paid. */
export class OtherProviderError extends Error {
  override readonly name = "OtherProviderError";

  constructor(own: string, offered: string) {
    super(`This wallet is at ${own}, and the site is paid through ${offered}.`);
  }
}

export interface PayingFetchOptions {
  /** The most that one answer may cost. */
  readonly max: Micros;
  readonly fetch?: typeof fetch;
}

/** The same bytes are sent again where the answer was lost: the provider takes a payment once. */
const DELIVERY_ATTEMPTS = 3;
const DELIVERY_PAUSE_MS = 400;

/**
 * @throws PriceTooHighError, AlreadyBoughtError, OtherProviderError; TuppenceError where the wallet cannot pay (`insufficient_balance`), or no answer
 * came to a payment (`site_failed`); and what `fetch` throws
 */
export function createPayingFetch(
  program: ProgramWallet,
  { max, fetch: send = fetch }: PayingFetchOptions,
): (input: string | URL | Request, init?: RequestInit) => Promise<Response> {
  return async (input, init) => {
    const request = new Request(input, init);
    const refused = await send(request.clone());
    if (refused.status !== 402 || !isSameRequest(refused, request)) return refused;
    const offer = readOffered(refused, request, Date.now());
    if (!offer) return refused;
    // An answer that nobody reads would keep its connection.
    await refused.body?.cancel();
    const url = refused.url || request.url;
    // Followed, a redirect would carry the header on to wherever it leads.
    const again = (header: string, value: string) => {
      const headers = new Headers(request.headers);
      headers.set(header, value);
      return send(new Request(url, new Request(request.clone(), { headers, redirect: "manual" })));
    };
    /** The answer to the receipt of what was bought before. Undefined: nothing was, or the site does not take it. */
    const comeAgain = async () => {
      const held = await program.bought(url, offer);
      if (!held) return undefined;
      const returned = await again("PAYMENT-RECEIPT", `${held.receipt}~${held.holderProof}`);
      if (returned.status !== 402) return returned;
      await returned.body?.cancel();
      return undefined;
    };
    const returned = await comeAgain();
    if (returned) return returned;
    if (offer.amount > max) throw new PriceTooHighError(offer.amount, max, offer.currency);
    await refuseOtherProvider(program, offer.provider);
    await refuseWithoutBalance(program, offer.amount);
    const { paymentId, paymentSignature } = await program.pay(offer.whole, url, max);
    if (paymentSignature === undefined) {
      // It may have been learnt only now that an earlier program's payment went through.
      const learnt = await comeAgain();
      if (learnt) return learnt;
      throw new AlreadyBoughtError();
    }
    const [name, value] = offer.carry(paymentSignature);
    const look = () => program.outcome(paymentId, url).catch(() => undefined);
    /** Where the site was paid and its answer was lost, it may know the receipt and take the payment no second time. */
    const comeBack = async () => ((await look()) === "paid" ? comeAgain() : undefined);
    try {
      return await deliver(() => again(name, value), comeBack, request.signal);
    } finally {
      // The site settles, so the wallet learns the outcome, and its change, only by asking for it.
      await look();
    }
  };
}

/** Not where a redirect led elsewhere, or made another request of it: what was for one site is not sent to the next. */
function isSameRequest(answer: Response, request: Request): boolean {
  if (!answer.redirected) return true;
  return new URL(answer.url).origin === new URL(request.url).origin && request.body === null;
}

/** Before the balance: nobody tops up a wallet that cannot pay there. */
async function refuseOtherProvider({ wallet }: ProgramWallet, offered: string | undefined): Promise<void> {
  const own = (await wallet.provider())?.origin;
  if (own !== undefined && offered !== undefined && offered !== own)
    throw new OtherProviderError(own, offered);
}

/** The wallet would ask a reader to top up. Here nobody is asked, and a question that is declined counts as a refusal. */
export async function refuseWithoutBalance({ wallet }: ProgramWallet, amount: Micros): Promise<void> {
  const { balance } = await wallet.snapshot();
  if (BigInt(balance.total) < amount) throw new TuppenceError("insufficient_balance");
}

async function deliver(
  send: () => Promise<Response>,
  comeBack: () => Promise<Response | undefined>,
  signal: AbortSignal,
): Promise<Response> {
  let last: Response | undefined;
  for (let attempt = 1; attempt <= DELIVERY_ATTEMPTS; attempt++) {
    last = await send().catch(() => undefined);
    signal.throwIfAborted();
    // A refusal is final; a lost answer or a fault of the site's is asked for again with the same bytes.
    if (last && last.status < 500) break;
    if (attempt < DELIVERY_ATTEMPTS)
      await new Promise((resolve) => setTimeout(resolve, DELIVERY_PAUSE_MS * attempt));
  }
  if (!last || last.status === 402) last = await comeBack().catch(() => undefined);
  if (!last || last.status === 402) throw new TuppenceError("site_failed");
  return last;
}
