/**
 * `fetch` for programs that pay: where a site answers 402 with an offer that Tuppence can pay (x402), and it costs no more than
 * was allowed, the wallet pays and the request is sent again. What was bought before is asked for with its receipt, and costs
 * nothing. Everything else comes back as the site answered it.
 */
import { TuppenceError } from "../../shared/errors.ts";
import { formatMoney, type Micros, parseMicros } from "../../shared/money.ts";
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

export interface PayingFetchOptions {
  /** The most that one answer may cost. */
  readonly max: Micros;
  readonly fetch?: typeof fetch;
}

/** The same bytes are sent again where the answer was lost: the provider takes a payment once. */
const DELIVERY_ATTEMPTS = 3;
const DELIVERY_PAUSE_MS = 400;

/** @throws PriceTooHighError; TuppenceError where the wallet cannot pay, or the site took the money and gave nothing */
export function createPayingFetch(
  program: ProgramWallet,
  { max, fetch: send = fetch }: PayingFetchOptions,
): (input: string | URL | Request, init?: RequestInit) => Promise<Response> {
  return async (input, init) => {
    const request = new Request(input, init);
    const refused = await send(request.clone());
    if (refused.status !== 402) return refused;
    const offer = readOffer(refused.headers.get("PAYMENT-REQUIRED"));
    if (!offer) return refused;
    // Where a redirect ended: the headers that follow are for nobody else.
    const url = refused.url || request.url;
    const again = (header: string, value: string) => {
      const headers = new Headers(request.headers);
      headers.set(header, value);
      return send(new Request(url, new Request(request.clone(), { headers, redirect: "error" })));
    };
    const held = await program.bought(url, offer);
    if (held) {
      const returned = await again("PAYMENT-RECEIPT", `${held.receipt}~${held.holderProof}`);
      if (returned.status !== 402) return returned;
    }
    if (offer.amount > max) throw new PriceTooHighError(offer.amount, max, offer.currency);
    const { paymentId, paymentSignature } = await program.pay(offer.whole, url, max);
    if (paymentSignature === undefined) throw new TuppenceError("site_failed");
    try {
      return await deliver(() => again("PAYMENT-SIGNATURE", paymentSignature));
    } finally {
      // The site settles, so the wallet learns the outcome, and its change, only by asking for it.
      await program.outcome(paymentId, url).catch(() => undefined);
    }
  };
}

async function deliver(send: () => Promise<Response>): Promise<Response> {
  for (let attempt = 1; attempt <= DELIVERY_ATTEMPTS; attempt++) {
    const response = await send().catch(() => undefined);
    if (response?.ok) return response;
    // A refusal is final; a lost answer or a fault of the site's is asked for again with the same bytes.
    if (response && response.status < 500) break;
    if (attempt < DELIVERY_ATTEMPTS)
      await new Promise((resolve) => setTimeout(resolve, DELIVERY_PAUSE_MS * attempt));
  }
  throw new TuppenceError("site_failed");
}

interface ReadOffer {
  /** As it came, for the wallet, which judges all of it. */
  readonly whole: object;
  readonly resource: string;
  readonly merchant: string;
  readonly amount: Micros;
  readonly currency: string;
}

/** The first of the terms that Tuppence can pay; undefined where there are none. */
function readOffer(header: string | null): ReadOffer | undefined {
  const whole = fieldsOf(decodeHeader(header));
  const resource = fieldsOf(whole.resource).url;
  const accepts = Array.isArray(whole.accepts) ? whole.accepts.map(fieldsOf) : [];
  const terms = accepts.find(
    ({ scheme, network }) => scheme === "exact" && String(network).startsWith("tuppence:"),
  );
  const amount = typeof terms?.amount === "string" ? parseMicros(terms.amount) : undefined;
  if (!terms || amount === undefined || typeof resource !== "string" || !URL.canParse(resource))
    return undefined;
  return { whole, resource, merchant: String(terms.payTo), amount, currency: String(terms.asset) };
}

function decodeHeader(value: string | null): unknown {
  try {
    return JSON.parse(Buffer.from(value ?? "", "base64").toString("utf8"));
  } catch {
    return undefined;
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
