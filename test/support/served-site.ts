/**
 * A site whose articles stand behind HTTP 402, with a back end of its own: it makes the offer, takes the sealed payment,
 * and does with it what a test says. Until then it is honest.
 */
import type { IncomingHttpHeaders } from "node:http";
import * as v from "valibot";
import { createReceiptVerifier, RECEIPT_HEADER } from "../../merchant/server/index.ts";
import { micros } from "../../shared/money.ts";
import { makeOffer, type OfferTerms } from "../../shared/offer.ts";
import { SettleResponse } from "../../shared/protocol/x402.ts";
import { type MerchantOptions, startMerchantSite } from "./merchant.ts";
import type { RunningProvider } from "./provider.ts";

/** What came in `PAYMENT-SIGNATURE`: all of it, because the wallet bound even what no schema of ours names. */
const TakenPayment = v.looseObject({
  resource: v.looseObject({ url: v.string() }),
  accepted: v.looseObject({ amount: v.string(), payTo: v.string(), extra: v.looseObject({}) }),
  payload: v.looseObject({ enc: v.string(), ct: v.string(), expiresAt: v.number() }),
});
export type TakenPayment = v.InferOutput<typeof TakenPayment>;

export interface SiteAnswer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Conduct = (taken: TakenPayment) => SiteAnswer | Promise<SiteAnswer>;

export interface ServedSite {
  readonly id: string;
  readonly origin: string;
  /** Publishes an article that nobody has bought, and gives the address of its page. */
  offer(title: string, terms?: Partial<OfferTerms>): string;
  /** What it does with a payment from now on; the answer goes to the page. */
  conduct(does: Conduct): void;
  /** Settles, and hands the article over. */
  readonly honestly: Conduct;
  /** The newest payment that came, once it has come. */
  newest(): TakenPayment;
  close(): Promise<void>;
}

/** Takes a payment to the provider as a site does, as it came unless it is altered. */
export async function settle(
  { origin }: Pick<RunningProvider, "origin">,
  taken: TakenPayment,
  requirements: object = taken.accepted,
): Promise<v.InferOutput<typeof SettleResponse>> {
  const response = await fetch(`${origin}/x402/settle`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ x402Version: 2, paymentPayload: taken, paymentRequirements: requirements }),
  });
  return v.parse(SettleResponse, await response.json());
}

export function paidPartOf(title: string): string {
  return `The paid part of ${title}.`;
}

export async function startServedSite(
  provider: RunningProvider,
  options: MerchantOptions = {},
): Promise<ServedSite> {
  const offers = new Map<string, ReturnType<typeof makeOffer>>();
  let newest: TakenPayment | undefined;
  const site = await startMerchantSite(provider, {
    ...options,
    backEnd: ({ url = "", headers }, response) => {
      respond(offers.get(url), headers).then(
        ({ status, body, headers: answered }) =>
          response.writeHead(status, { "content-type": "text/html; charset=utf-8", ...answered }).end(body),
        (error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))),
      );
    },
  });
  const receipts = createReceiptVerifier({
    provider: provider.origin,
    merchant: site.id,
    fetch,
    now: Date.now,
  });
  const honestly: Conduct = async (taken) =>
    (await settle(provider, taken)).success ? articleOf(offers, taken.resource.url) : { status: 402 };
  let conduct = honestly;

  async function respond(
    offer: ReturnType<typeof makeOffer> | undefined,
    headers: IncomingHttpHeaders,
  ): Promise<SiteAnswer> {
    if (!offer) return { status: 404 };
    const signature = headers["payment-signature"];
    if (typeof signature === "string") {
      newest = v.parse(TakenPayment, JSON.parse(Buffer.from(signature, "base64").toString()));
      return conduct(newest);
    }
    const shown = headers[RECEIPT_HEADER];
    const resource = offer.resource.url;
    const leastAmount = micros(BigInt(offer.accepts[0]?.amount ?? 0));
    if (typeof shown === "string" && (await receipts.verifyReceipt(shown, { resource, leastAmount })))
      return articleOf(offers, resource);
    const required = Buffer.from(JSON.stringify(offer)).toString("base64");
    return { status: 402, headers: { "payment-required": required } };
  }

  return {
    id: site.id,
    origin: site.origin,
    close: site.close,
    honestly,
    conduct(does) {
      conduct = does;
      newest = undefined;
    },
    newest() {
      if (!newest) throw new Error("no payment came");
      return newest;
    },
    offer(title, terms = {}) {
      const path = `/served/${offers.size + 1}`;
      const { merchantRecord } = site.terms;
      const offer = makeOffer({
        provider: provider.origin,
        merchant: site.id,
        amount: 50_000n,
        currency: "USD",
        kind: "article",
        title,
        resource: site.addressOf(path),
        ...(merchantRecord === undefined ? {} : { merchantRecord }),
        ...terms,
      });
      offers.set(path, offer);
      site.publish(`${path}.html`, pageOf(title, path));
      return site.addressOf(`${path}.html`);
    },
  };
}

function articleOf(offers: ReadonlyMap<string, ReturnType<typeof makeOffer>>, resource: string): SiteAnswer {
  const title = offers.get(new URL(resource).pathname)?.resource.description ?? "";
  return { status: 200, body: `<p>${paidPartOf(title)}</p>` };
}

function pageOf(title: string, path: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title><link rel="icon" href="data:,"><script type="module" src="/tuppence.js"></script></head><body><h1>${title}</h1><tuppence-paywall src="${path}"></tuppence-paywall></body></html>`;
}
