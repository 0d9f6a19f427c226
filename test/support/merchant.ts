/** A merchant with a site of its own: registered with the provider, pages sealed as `npm run seal` does, kept in memory. */
import { createServer, type RequestListener } from "node:http";
import { registerNewspaper } from "../../demo/register.ts";
import { fetchMerchantRecord, fetchProvider } from "../../merchant/cli/provider.ts";
import { BUILT_SNIPPET } from "../../merchant/cli/seal-folder.ts";
import { type SealedPage, type SealingTerms, sealPage } from "../../merchant/cli/seal-page.ts";
import { readSnippet } from "../../merchant/cli/seal-site.ts";
import { type SigningKey, signingKeyFromSeed } from "../../shared/jws.ts";
import type { RunningProvider } from "./provider.ts";
import { readAdminToken } from "./provider.ts";

export interface MerchantSite {
  readonly id: string;
  readonly origin: string;
  readonly key: SigningKey;
  readonly terms: SealingTerms;
  /** Publishes a page as it is. */
  publish(path: string, html: string, headers?: Readonly<Record<string, string>>): void;
  /** Seals an article and publishes it. */
  publishArticle(path: string, article: Article, terms?: Partial<SealingTerms>): Promise<SealedPage>;
  addressOf(path: string): string;
  close(): Promise<void>;
}

export interface Article {
  readonly title: string;
  readonly free?: string;
  readonly paid: string;
  /** As a person writes it. */
  readonly price?: string;
}

export interface MerchantOptions {
  readonly id?: string;
  readonly name?: string;
  readonly refundWindowSeconds?: number;
  readonly refundPolicy?: string;
  readonly refundsPerDay?: string;
  /** Where the merchant says it is; its real origin unless a test has it lie. */
  readonly registeredOrigin?: string;
  /** Answers what no published page does. */
  readonly backEnd?: RequestListener;
}

const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src *; base-uri 'none'";
const REFUND_WINDOW_SECONDS = 3_600;

export async function startMerchantSite(
  provider: RunningProvider,
  options: MerchantOptions = {},
): Promise<MerchantSite> {
  const {
    id = "test-site",
    name = "Test Site",
    refundWindowSeconds = REFUND_WINDOW_SECONDS,
    backEnd = (_request, response) => response.writeHead(404).end(),
  } = options;
  const snippet = await readSnippet(BUILT_SNIPPET);
  const pages = new Map<
    string,
    { readonly html: string; readonly headers: Readonly<Record<string, string>> }
  >();
  const server = createServer((request, response) => {
    if (request.url === "/tuppence.js")
      return response.writeHead(200, { "content-type": "text/javascript" }).end(snippet.content);
    const page = pages.get(request.url ?? "");
    if (!page) return backEnd(request, response);
    return response
      .writeHead(200, {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": CONTENT_SECURITY_POLICY,
        ...page.headers,
      })
      .end(page.html);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the site has no port");
  const origin = `http://127.0.0.1:${address.port}`;

  const key = await signingKeyFromSeed(crypto.getRandomValues(new Uint8Array(32)));
  const registration = {
    accountsOrigin: provider.accountsOrigin,
    adminToken: readAdminToken(provider),
    merchantId: id,
    name,
    sealKey: key,
    refundWindowSeconds,
    ...(options.refundPolicy === undefined ? {} : { refundPolicy: options.refundPolicy }),
    ...(options.refundsPerDay === undefined ? {} : { refundsPerDay: options.refundsPerDay }),
  };
  await registerNewspaper({ ...registration, origin: options.registeredOrigin ?? origin });
  const terms: SealingTerms = {
    merchant: id,
    key,
    provider: await fetchProvider(provider.origin, fetch),
    merchantRecord: await fetchMerchantRecord(provider.origin, id, fetch),
    defaultPrice: "5¢",
    walletUrl: undefined,
    nowSeconds: Math.floor(Date.now() / 1_000),
  };

  return {
    id,
    origin,
    key,
    terms,
    addressOf: (path) => origin + path,
    publish(path, html, headers = {}) {
      pages.set(path, { html, headers });
    },
    async publishArticle(path, article, changes = {}) {
      const page = await sealPage(
        pageOf(article),
        origin + path,
        { ...terms, ...changes },
        { src: "/tuppence.js", integrity: snippet.integrity },
      );
      if (!page) throw new Error("the article marks nothing as paid");
      pages.set(path, { html: page.html, headers: {} });
      return page;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pageOf({ title, free = "The free part.", paid, price }: Article): string {
  const section =
    price === undefined ? `<section data-tuppence-price>` : `<section data-tuppence-price="${price}">`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body><h1>${title}</h1><p>${free}</p>${section}${paid}</section></body></html>`;
}
