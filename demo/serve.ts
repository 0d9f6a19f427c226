/**
 * The Lantern, as a site owner would run it: static pages, sealed once, from an origin of its own with a strict
 * Content-Security-Policy, and one story behind stock x402 middleware.
 */
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { HTTPFacilitatorClient } from "@x402/core/server";
import { paymentMiddlewareFromHTTPServer, x402HTTPResourceServer, x402ResourceServer } from "@x402/express";
import express, { type RequestHandler } from "express";
import { checkOffer, fetchMerchantRecord, fetchProvider } from "../merchant/cli/provider.ts";
import { BUILT_SNIPPET } from "../merchant/cli/seal-folder.ts";
import { sealSite } from "../merchant/cli/seal-site.ts";
import {
  createReceiptVerifier,
  createRecordSource,
  facilitatorUrl,
  letReturnIn,
  TuppenceScheme,
} from "../merchant/server/index.ts";
import type { SigningKey } from "../shared/jws.ts";
import { aboutPage, articlePage, frontPage, notFoundPage, type PaperSettings, WALLET_URL } from "./pages.ts";
import { paidPart, readStories, type Story } from "./stories.ts";

export interface NewspaperOptions {
  /** The provider's anonymous origin. */
  readonly provider: string;
  readonly merchantId: string;
  /** Signs the seals; its public half must be registered. */
  readonly sealKey: SigningKey;
  /** 0 takes a free one. */
  readonly port: number;
  /** The pages are written here, in clear under `clear`, and as they are published under `public`. */
  readonly dataFolder: string;
  /** Called with the paper's origin before anything is sealed: the place to register it. */
  readonly onOrigin?: (origin: string) => Promise<void>;
  /** `dist/merchant/tuppence.js` unless told otherwise. */
  readonly snippetFile?: string;
}

export interface Newspaper {
  readonly origin: string;
  readonly close: () => Promise<void>;
}

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const SERVED = "/api/articles";

/** Seals the stories for the origin that it listens on, and serves them. @throws CommandError if that cannot be done */
export async function startNewspaper(options: NewspaperOptions): Promise<Newspaper> {
  // The address is part of every seal, so it has to be known before there is anything to serve.
  let site: RequestHandler = (_request, response) =>
    void response.status(503).send("The paper is being printed.");
  const app = express().disable("x-powered-by");
  app.use(protect);
  app.use((request, response, next) => site(request, response, next));
  const server = createServer(app);
  const origin = await listen(server, options.port);
  const close = () => closeServer(server);
  try {
    await options.onOrigin?.(origin);
    site = await printPaper(origin, options);
  } catch (error) {
    await close();
    throw error;
  }
  return { origin, close };
}

async function printPaper(origin: string, options: NewspaperOptions): Promise<RequestHandler> {
  const stories = await readStories();
  const { provider: providerOrigin, merchantId } = options;
  const settings: PaperSettings = {
    provider: providerOrigin,
    merchantId,
    servedPath: (slug) => `${SERVED}/${slug}`,
  };
  const clear = join(options.dataFolder, "clear");
  const published = join(options.dataFolder, "public");
  await writePages(clear, stories, settings);
  await rm(published, { recursive: true, force: true });

  const provider = await fetchProvider(providerOrigin, fetch);
  const terms = {
    merchant: merchantId,
    key: options.sealKey,
    provider,
    merchantRecord: await fetchMerchantRecord(providerOrigin, merchantId, fetch),
    defaultPrice: undefined,
    walletUrl: WALLET_URL,
    nowSeconds: Math.floor(Date.now() / 1_000),
  };
  const folders = {
    from: clear,
    to: published,
    baseUrl: origin,
    snippetFile: options.snippetFile ?? BUILT_SNIPPET,
    snippetPath: "tuppence.js",
  };
  await sealSite(folders, terms, (offer) => checkOffer(providerOrigin, offer, fetch));

  const paper = express.Router();
  paper.use(
    ...serveBehindPayment(
      stories.filter(({ served }) => served),
      options,
    ),
  );
  paper.use(
    express.static(published, {
      extensions: ["html"],
      setHeaders: (response) => void response.setHeader("cache-control", "no-cache"),
    }),
  );
  paper.use((_request, response) => void response.status(404).send(notFoundPage()));
  return paper;
}

/** The story behind the back end: middleware as x402 ships it, a scheme, and a hook for who has paid before. */
function serveBehindPayment(
  stories: readonly Story[],
  { provider, merchantId }: NewspaperOptions,
): RequestHandler[] {
  const deps = { provider, merchant: merchantId, fetch, now: Date.now };
  const scheme = new TuppenceScheme({ provider, merchantRecord: createRecordSource(deps) });
  const x402 = new x402ResourceServer(new HTTPFacilitatorClient({ url: facilitatorUrl(provider) })).register(
    scheme.network,
    scheme,
  );
  const routes = Object.fromEntries(
    stories.map(({ slug, title, price }) => {
      const accepts = {
        scheme: scheme.scheme,
        network: scheme.network,
        payTo: merchantId,
        price,
        maxTimeoutSeconds: 120,
        extra: { title },
      };
      return [`GET ${SERVED}/${slug}`, { accepts, description: title, mimeType: "text/html" }];
    }),
  );
  const http = new x402HTTPResourceServer(x402, routes).onProtectedRequest(
    letReturnIn(createReceiptVerifier(deps)),
  );
  const bodies = new Map(stories.map((story) => [`${SERVED}/${story.slug}`, paidPart(story)]));
  return [
    paymentMiddlewareFromHTTPServer(http),
    (request, response, next) => {
      const body = bodies.get(request.path);
      if (body === undefined) return next();
      response.setHeader("cache-control", "private, no-store");
      response.type("html").send(body);
    },
  ];
}

async function writePages(folder: string, stories: readonly Story[], settings: PaperSettings): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "articles"), { recursive: true });
  await cp(join(import.meta.dirname, "site"), folder, { recursive: true });
  await writeFile(join(folder, "index.html"), frontPage(stories));
  await writeFile(join(folder, "about.html"), aboutPage(settings));
  for (const story of stories) {
    const others = stories.filter(({ slug }) => slug !== story.slug).slice(0, 3);
    await writeFile(join(folder, "articles", `${story.slug}.html`), articlePage(story, others, settings));
  }
}

const protect: RequestHandler = (_request, response, next) => {
  response.setHeader("content-security-policy", CONTENT_SECURITY_POLICY);
  response.setHeader("referrer-policy", "no-referrer");
  response.setHeader("x-content-type-options", "nosniff");
  next();
};

function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string")
        reject(new Error("the paper's server has no port"));
      else resolve(`http://127.0.0.1:${address.port}`);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
