/**
 * A site for the doctor: a sealed page, a page whose article is behind stock x402 middleware, a feed. It is in order until a test
 * breaks it. What it sells is long enough for a run of its words to mean something.
 */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { HTTPFacilitatorClient } from "@x402/core/server";
import { paymentMiddlewareFromHTTPServer, x402HTTPResourceServer, x402ResourceServer } from "@x402/express";
import express, { type RequestHandler } from "express";
import { fetchMerchantRecord, fetchProvider } from "../../merchant/cli/provider.ts";
import { type SealingTerms, sealPage } from "../../merchant/cli/seal-page.ts";
import {
  createReceiptVerifier,
  facilitatorUrl,
  letReturnIn,
  type ReceiptVerifier,
  TuppenceScheme,
} from "../../merchant/server/index.ts";
import { type SigningKey, signingKeyFromSeed } from "../../shared/jws.ts";
import type { TestProvider } from "../conformance/provider.ts";

export const FREE = "Between two tides a mill stands still, and its miller has time for whoever comes by.";
export const PAID =
  "The wheel turns when the pond is fuller than the river, about five hours of every twelve, and so the miller of Eling slept in two pieces for forty years and never once heard a whole night of rain upon his roof.";
export const SNIPPET = 'customElements.define("tuppence-paywall", class extends HTMLElement {});\n';
export const BUILT = {
  integrity: `sha384-${createHash("sha384").update(SNIPPET).digest("base64")}`,
};
export const SERVED = "/api/tides";

export interface Paper {
  readonly origin: string;
  readonly provider: string;
  /** Its id, of its own for each site: wallets keep a record for a while. */
  readonly merchant: string;
  readonly verifier: ReceiptVerifier;
}

export interface SiteBreaks {
  /** Comes before everything. */
  readonly between?: (paper: Paper) => RequestHandler;
  /** The published pages, as they are altered. */
  readonly page?: (html: string, paper: Paper) => string;
  readonly headers?: (paper: Paper) => Readonly<Record<string, string>>;
  readonly feed?: (paper: Paper) => string;
  readonly registration?: (paper: Pick<Paper, "origin">) => object;
  readonly sealing?: (paper: Paper, key: SigningKey) => Promise<Partial<SealingTerms>>;
  /** Where the sealed page says that it stands. */
  readonly resource?: (paper: Paper) => string;
  /** Those who come back are not let in. */
  readonly forgetsReaders?: boolean;
  readonly payTo?: string;
  readonly price?: string;
  /** As readers see it; the server itself listens where a test can reach it. */
  readonly publicOrigin?: string;
}

export interface ExaminedSite {
  /** As readers see it. */
  readonly origin: string;
  /** Where the requests really go. */
  readonly fetch: typeof fetch;
  close(): Promise<void>;
}

export async function openExaminedSite(
  { provider, origin: providerOrigin }: TestProvider,
  breaks: SiteBreaks = {},
): Promise<ExaminedSite> {
  const app = express().disable("x-powered-by");
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a port");
  const local = `http://127.0.0.1:${address.port}`;
  const origin = breaks.publicOrigin ?? local;
  const key = await signingKeyFromSeed(crypto.getRandomValues(new Uint8Array(32)));
  const merchant = `miller-${address.port}`;
  const registration = {
    id: merchant,
    name: "The Miller",
    origins: [origin],
    frameParents: [],
    refundWindowSeconds: 3_600,
  };
  await provider.deps.merchants.put({
    ...registration,
    sealKeys: [key.publicJwk],
    ...breaks.registration?.({ origin }),
  });
  const deps = { provider: providerOrigin, merchant, fetch, now: Date.now };
  const paper = { origin, merchant, provider: providerOrigin, verifier: createReceiptVerifier(deps) };
  const sealed = await seal(paper, key, breaks);

  if (breaks.between) app.use(breaks.between(paper));
  app.use(takePayments(paper, breaks));
  app.get(SERVED, (_request, response) => {
    response.setHeader("cache-control", "private, no-store");
    response.type("html").send(`<p>${PAID}</p>`);
  });
  app.get("/tuppence.js", (_request, response) => void response.type("text/javascript").send(SNIPPET));
  app.get(["/one.html", "/tides.html"], (request, response) => {
    const html = request.path === "/one.html" ? sealed : servedPage();
    response.set({ "cache-control": "no-cache", ...breaks.headers?.(paper) });
    response.type("html").send(breaks.page?.(html, paper) ?? html);
  });
  app.get("/feed.xml", (_request, response) => {
    response.type("application/rss+xml").send(breaks.feed?.(paper) ?? feedOf(origin, FREE));
  });
  return {
    origin,
    fetch: (input, init) => {
      const request = new Request(input, init);
      const url = request.url.startsWith(origin) ? local + request.url.slice(origin.length) : request.url;
      return fetch(new Request(url, request), init);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function feedOf(origin: string, text: string): string {
  const item = (path: string) =>
    `<item><title>The mill</title><link>${origin}${path}</link><description>&lt;p&gt;${text}&lt;/p&gt;</description></item>`;
  return `<?xml version="1.0"?><rss version="2.0"><channel><title>The Miller</title>${item("/one.html")}${item("/tides.html")}</channel></rss>`;
}

async function seal(paper: Paper, key: SigningKey, breaks: SiteBreaks): Promise<string> {
  const terms: SealingTerms = {
    merchant: paper.merchant,
    key,
    provider: await fetchProvider(paper.provider, fetch),
    merchantRecord: await fetchMerchantRecord(paper.provider, paper.merchant, fetch),
    defaultPrice: "5¢",
    walletUrl: "/wallet.html",
    nowSeconds: Math.floor(Date.now() / 1_000),
    ...(await breaks.sealing?.(paper, key)),
  };
  const resource = breaks.resource?.(paper) ?? `${paper.origin}/one.html`;
  const snippet = { src: "/tuppence.js", integrity: BUILT.integrity };
  const page = await sealPage(
    pageOf(`<!-- tuppence:paid --><p>${PAID}</p><!-- /tuppence:paid -->`),
    resource,
    terms,
    snippet,
  );
  if (!page) throw new Error("nothing is marked");
  return page.html;
}

function servedPage(): string {
  return pageOf(
    `<tuppence-paywall src="${SERVED}" wallet-url="/wallet.html"></tuppence-paywall>`,
    '<script type="module" src="/tuppence.js"></script>',
  );
}

function pageOf(end: string, head = ""): string {
  const data = JSON.stringify({ "@type": "NewsArticle", isAccessibleForFree: false });
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>The mill</title>${head}
<link rel="alternate" type="application/rss+xml" href="/feed.xml"><script type="application/ld+json">${data}</script></head>
<body><h1>The mill</h1><p>${FREE}</p>${end}</body></html>`;
}

function takePayments(
  { origin, merchant, provider, verifier }: Paper,
  { forgetsReaders, payTo, price, publicOrigin }: SiteBreaks,
) {
  const scheme = new TuppenceScheme({ provider });
  const facilitator = new HTTPFacilitatorClient({ url: facilitatorUrl(provider) });
  const server = new x402ResourceServer(facilitator).register(scheme.network, scheme);
  const accepts = {
    scheme: "exact",
    network: scheme.network,
    payTo: payTo ?? merchant,
    price: price ?? "5¢",
    maxTimeoutSeconds: 60,
    extra: { title: "The mill" },
  };
  const resource = publicOrigin === undefined ? {} : { resource: origin + SERVED };
  const http = new x402HTTPResourceServer(server, { [`GET ${SERVED}`]: { accepts, ...resource } });
  return paymentMiddlewareFromHTTPServer(
    forgetsReaders ? http : http.onProtectedRequest(letReturnIn(verifier)),
  );
}
