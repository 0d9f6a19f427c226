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
import { isPayableInCoins, type Micros, parseMicros, parseMoney } from "../../shared/money.ts";
import { MerchantResponse } from "../../shared/protocol/provider.ts";
import { networkOf, SCHEME } from "../../shared/protocol/x402.ts";
import { cachedValue } from "./cached.ts";
import { RECEIPT_HEADER, type ReceiptVerifier } from "./receipts.ts";

const MICROS_DECIMALS = 6;
const MAX_TITLE_LENGTH = 300;
/** A record lives for a day; one that is an hour old is still good wherever it is cached. */
const RECORD_MS = 3_600_000;

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

export class TuppenceScheme implements SchemeNetworkServer {
  readonly scheme = SCHEME;
  readonly network: Network;
  // The handler's answer waits until the provider has taken the payment: paid means delivered, failed means not charged.
  readonly defaultAssetTransferMethod = "default";
  readonly paymentFlows = { default: { supported: ["authorization"], default: "authorization" } } as const;
  /** The record changes between the offer and its payment, and is no part of the price. */
  readonly dynamicExtraFields = ["merchantRecord"];
  readonly #options: TuppenceSchemeOptions;
  readonly #currency: string;

  constructor(options: TuppenceSchemeOptions) {
    this.#options = options;
    this.#currency = options.currency ?? "USD";
    this.network = networkOf(this.#currency);
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
    const claims = await verifier.verify(adapter.getHeader(RECEIPT_HEADER), { resource, leastAmount: price });
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
