/**
 * Tuppence for stock x402 servers (`@x402/express`, `@x402/hono`, …), which stay as they are: register a
 * `TuppenceScheme`, and let `HTTPFacilitatorClient({ url: facilitatorUrl(provider) })` do the rest.
 */
import type { RouteConfig, x402HTTPResourceServer } from "@x402/core/server";
import type {
  AssetAmount,
  Network,
  PaymentRequirements,
  Price,
  SchemeNetworkServer,
  SupportedKind,
} from "@x402/core/types";
import * as v from "valibot";
import type { ErrorCode } from "../../shared/errors.ts";
import { isPayableInCoins, type Micros, parseMicros, parseMoney } from "../../shared/money.ts";
import { MerchantResponse } from "../../shared/protocol/provider.ts";
import { networkOf, SCHEME, SealedPayment } from "../../shared/protocol/x402.ts";
import { cachedValue } from "./cached.ts";
import { RECEIPT_HEADER, type ReceiptVerifier } from "./receipts.ts";

const MICROS_DECIMALS = 6;
const MAX_TITLE_LENGTH = 300;
/** A record lives for a day; one that is an hour old is still good wherever it is cached. */
const RECORD_MS = 3_600_000;
const UNSEALED: ErrorCode = "payment_sealed_invalid";

export interface TuppenceSchemeOptions {
  /** The provider's anonymous origin. */
  readonly provider: string;
  /** `USD` unless the provider keeps another one. */
  readonly currency?: string;
  /** What the wallet calls the thing that is bought, where the route's `extra.title` does not say. */
  readonly title?: string;
  /** The merchant's record, which saves each wallet a question (`createRecordSource`). */
  readonly merchantRecord?: () => Promise<string | undefined>;
}

type SchemeHooks = NonNullable<SchemeNetworkServer["schemeHooks"]>;
type PaymentRequiredContext = Parameters<
  NonNullable<SchemeNetworkServer["enrichPaymentRequiredResponse"]>
>[0];

/**
 * x402's payment flows, chosen by a route's `extra.paymentFlow`: `authorization` (verify, work, settle), where failed work
 * charges nothing, and `upfront` (settle, work), where no work is done for a payment that fails at its end.
 */
export class TuppenceScheme implements SchemeNetworkServer {
  readonly scheme = SCHEME;
  readonly network: Network;
  readonly defaultAssetTransferMethod = "default";
  // By default the handler's answer waits until the provider has taken the payment: paid means delivered, failed means not charged.
  readonly paymentFlows = {
    default: { supported: ["authorization", "upfront"], default: "authorization" },
  } as const;
  /** The record changes between the offer and its payment, and is no part of the price. */
  readonly dynamicExtraFields = ["merchantRecord"];
  readonly schemeHooks: SchemeHooks;
  readonly #options: TuppenceSchemeOptions;
  readonly #currency: string;

  constructor(options: TuppenceSchemeOptions) {
    this.#options = options;
    this.#currency = options.currency ?? "USD";
    this.network = networkOf(this.#currency);
    this.schemeHooks = {
      // Coins in clear are not taken: whoever carries them could spend them, and the payment could be shown again for ever.
      onBeforeVerify: async ({ paymentPayload: { payload } }) =>
        v.is(SealedPayment, payload) ? undefined : { abort: true, reason: UNSEALED },
    };
  }

  /** "5¢", "$0.05", 0.05, or micros as `{ amount: "50000", asset: "USD" }`. @throws RangeError on anything else */
  async parsePrice(price: Price): Promise<AssetAmount> {
    return { amount: readPrice(price, this.#currency).toString(), asset: this.#currency };
  }

  getAssetDecimals(): number {
    return MICROS_DECIMALS;
  }

  async enhancePaymentRequirements(
    requirements: PaymentRequirements,
    _kind: SupportedKind,
  ): Promise<PaymentRequirements> {
    const merchantRecord = await this.#options.merchantRecord?.();
    const title = `${requirements.extra.title ?? this.#options.title ?? ""}`.slice(0, MAX_TITLE_LENGTH);
    const record = merchantRecord === undefined ? {} : { merchantRecord };
    return {
      ...requirements,
      extra: { ...requirements.extra, provider: this.#options.provider, kind: "article", title, ...record },
    };
  }

  /**
   * The middleware compares the terms of a payment with those of the route, and not what it is for. So the address is one of
   * the terms: what paid for one article does not open another of the same price.
   */
  async enrichPaymentRequiredResponse({
    requirements,
    resourceInfo,
  }: PaymentRequiredContext): Promise<PaymentRequirements[]> {
    return requirements.map((terms) =>
      terms.scheme === this.scheme && terms.network === this.network
        ? { ...terms, extra: { ...terms.extra, resource: resourceInfo.url } }
        : terms,
    );
  }
}

/** Where a provider answers as an x402 facilitator. */
export function facilitatorUrl(provider: string): string {
  return `${provider}/x402`;
}

type ProtectedRequestHook = Parameters<x402HTTPResourceServer["onProtectedRequest"]>[0];

/**
 * A hook for `x402HTTPResourceServer.onProtectedRequest`: who comes back with a receipt of at least the route's price is
 * let in. `leastAmount` keeps those in who paid before the price was raised.
 */
export function letReturnIn(
  verifier: ReceiptVerifier,
  currency = "USD",
  leastAmount?: Micros,
): ProtectedRequestHook {
  return async ({ adapter }, route) => {
    const resource = route.resource ?? adapter.getUrl();
    const price = leastAmount ?? lowestPrice(route, currency);
    if (price === undefined) return undefined;
    const claims = await verifier.verifyReceipt(adapter.getHeader(RECEIPT_HEADER), {
      resource,
      leastAmount: price,
    });
    return claims ? { grantAccess: true } : undefined;
  };
}

/** The merchant's record from its provider, fetched now and then. */
export function createRecordSource(deps: {
  provider: string;
  merchant: string;
  fetch: typeof fetch;
  now: () => number;
}): () => Promise<string | undefined> {
  const record = cachedValue(
    async () => {
      const response = await deps.fetch(`${deps.provider}/merchants/${deps.merchant}`);
      const decoded = v.safeParse(MerchantResponse, await response.json());
      return decoded.success ? decoded.output.merchantRecord : undefined;
    },
    RECORD_MS,
    deps,
  );
  return () => record.get();
}

function readPrice(price: Price, currency: string): Micros {
  const isExact = typeof price === "object";
  const amount = isExact
    ? price.asset === currency
      ? parseMicros(price.amount)
      : undefined
    : parseMoney(`${price}`);
  if (amount === undefined || !isPayableInCoins(amount)) {
    throw new RangeError(
      `${JSON.stringify(price)} is no price that coins can pay: write it like "5¢" or "$0.05"`,
    );
  }
  return amount;
}

/** Undefined where the price is worked out per request: then only `leastAmount` can say what counts. */
function lowestPrice({ accepts }: RouteConfig, currency: string): Micros | undefined {
  const prices = [accepts]
    .flat()
    .flatMap(({ network, price }) =>
      network === networkOf(currency) && typeof price !== "function" ? [readPrice(price, currency)] : [],
    );
  return prices.sort((a, b) => (a < b ? -1 : 1))[0];
}
