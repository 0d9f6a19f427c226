/**
 * The wallet behind x402's own client: `@x402/fetch` and whatever else stands on `@x402/core` stay as they are, and pay what
 * is offered for Tuppence out of a program's wallet.
 *
 * x402's client puts a payment together from what it was offered last. A payment that the wallet has under way is bound to
 * what it was offered first, so that is what is sent: the same payment again, and not a second one.
 */
import type { PaymentRequiredHook } from "@x402/core/client";
import type { PaymentRequired, PaymentRequirements, SchemeNetworkClient } from "@x402/core/types";
import * as v from "valibot";
import { type Micros, parseMicros } from "../../shared/money.ts";
import { networkOf, SCHEME, SealedPayment, X402_VERSION } from "../../shared/protocol/x402.ts";
import { decodeHeader } from "./offer.ts";
import { AlreadyBoughtError, PriceTooHighError, refuseWithoutBalance } from "./paying-fetch.ts";
import type { ProgramWallet } from "./program.ts";

export interface X402PayerOptions {
  /** The most that one answer may cost; x402's own spend controls (a dollar, where nothing is said) stand beside it. */
  readonly max: Micros;
  /** `USD` unless the wallet's provider keeps another one. */
  readonly currency?: string;
  readonly fetch?: typeof fetch;
}

/** To be registered: `new x402Client().register(payer.network, payer)`. */
export interface X402Payer extends SchemeNetworkClient {
  readonly network: `tuppence:${string}`;
  /**
   * For `new x402HTTPClient(client).onPaymentRequired(…)`: shows the receipt of what was bought before, and knows which
   * address was asked. Without it nothing is paid.
   */
  readonly onPaymentRequired: PaymentRequiredHook;
  /** For `wrapFetchWithPayment`: payments and receipts are carried to nowhere that a redirect leads. */
  readonly fetch: typeof fetch;
}

/** Micros are millionths. */
const DECIMALS = 6;
const CARRIES_MONEY = ["payment-signature", "payment-receipt"];

/** What the wallet has stored to be sent, and once sent is sent again. */
const Sent = v.looseObject({ resource: v.unknown(), accepted: v.unknown(), payload: SealedPayment });

interface StoredPayment {
  readonly paymentId: string;
  readonly url: string;
  readonly sent: v.InferOutput<typeof Sent>;
}

type Hooks = NonNullable<SchemeNetworkClient["schemeHooks"]>;
type CreationContext = Parameters<NonNullable<Hooks["onBeforePaymentCreation"]>>[0];

/** What x402's client throws carries the message only: `PriceTooHighError`, `AlreadyBoughtError`, or a `TuppenceError`'s code. */
export function createX402Payer(program: ProgramWallet, options: X402PayerOptions): X402Payer {
  const { max, currency = "USD", fetch: send = fetch } = options;
  /** The address that was asked, by the offer that came of it; the offer, by the terms that were chosen of it. */
  const addresses = new WeakMap<PaymentRequired, string>();
  const offers = new WeakMap<PaymentRequirements, PaymentRequired>();
  /** By what was made of them. */
  const payments = new WeakMap<object, StoredPayment>();

  return {
    scheme: SCHEME,
    network: networkOf(currency),
    findDefaultAsset: (asset) =>
      asset === currency ? { asset, decimals: DECIMALS, symbol: currency } : undefined,
    onPaymentRequired: async ({ paymentRequired, requestUrl }) => {
      addresses.set(paymentRequired, requestUrl);
      const terms = paymentRequired.accepts.find(({ network }) => network === networkOf(currency));
      const { url: resource } = paymentRequired.resource;
      if (!terms || !URL.canParse(resource)) return undefined;
      const held = await program.bought(requestUrl, { merchant: terms.payTo, resource });
      return held && { headers: { "PAYMENT-RECEIPT": `${held.receipt}~${held.holderProof}` } };
    },
    schemeHooks: {
      onBeforePaymentCreation: async ({ paymentRequired, selectedRequirements }: CreationContext) => {
        offers.set(selectedRequirements, paymentRequired);
      },
      onAfterPaymentCreation: async ({ paymentPayload }) => {
        const stored = payments.get(paymentPayload.payload);
        if (stored) Object.assign(paymentPayload, stored.sent);
      },
      onPaymentResponse: async ({ paymentPayload }) => {
        const stored = payments.get(paymentPayload.payload);
        // The site settles, so the wallet learns the outcome, and its change, only by asking for it.
        if (stored) await program.outcome(stored.paymentId, stored.url).catch(() => undefined);
      },
    },
    createPaymentPayload: async (x402Version, terms) => {
      const offer = offers.get(terms);
      const url = offer && addresses.get(offer);
      if (!offer || url === undefined)
        throw new Error("Which address was asked is not known: register onPaymentRequired, too.");
      const price = parseMicros(terms.amount);
      if (price !== undefined && price > max) throw new PriceTooHighError(price, max, currency);
      if (price !== undefined) await refuseWithoutBalance(program, price);
      const whole = { x402Version, resource: offer.resource, accepts: [terms] };
      const { paymentId, paymentSignature } = await program.pay(whole, url, max);
      if (paymentSignature === undefined) throw new AlreadyBoughtError();
      const sent = v.parse(Sent, decodeHeader(paymentSignature));
      payments.set(sent.payload, { paymentId, url, sent });
      return { x402Version: X402_VERSION, payload: sent.payload };
    },
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const carriesMoney = CARRIES_MONEY.some((name) => request.headers.has(name));
      return send(carriesMoney ? new Request(request, { redirect: "manual" }) : request);
    },
  };
}
