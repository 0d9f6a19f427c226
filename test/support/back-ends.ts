/** Sites behind unmodified x402 middleware, one for each framework, that sell alike: what a test says of one it says of all. */
import { createServer, type Server } from "node:http";
import { serve } from "@hono/node-server";
import { HTTPFacilitatorClient, type RoutesConfig } from "@x402/core/server";
import {
  paymentMiddlewareFromHTTPServer as expressMiddleware,
  x402HTTPResourceServer,
  x402ResourceServer,
} from "@x402/express";
import { paymentMiddlewareFromHTTPServer as honoMiddleware } from "@x402/hono";
import express from "express";
import { Hono } from "hono";
import {
  createReceiptVerifier,
  facilitatorUrl,
  letReturnIn,
  TuppenceScheme,
} from "../../merchant/server/index.ts";

export interface BackEndOptions {
  readonly provider: string;
  readonly merchant: string;
  /** Where it settles, if not at the provider. */
  readonly facilitator?: string;
  readonly handle: Handler;
}

/** @param path of the request; what is thrown is a fault of the site's */
export type Handler = (path: string) => Promise<string> | string;

export interface BackEnd {
  readonly origin: string;
  close(): Promise<void>;
}

export const FRAMEWORKS = { express: startExpress, hono: startHono } as const;

/** 5¢ each. `/later` is settled before its work (`upfront`), everything else after it (`authorization`). */
export const PRICE = 50_000n;

function protect({ provider, merchant, facilitator = facilitatorUrl(provider) }: BackEndOptions) {
  const scheme = new TuppenceScheme({ provider });
  const server = new x402ResourceServer(new HTTPFacilitatorClient({ url: facilitator })).register(
    scheme.network,
    scheme,
  );
  const accepts = {
    scheme: scheme.scheme,
    network: scheme.network,
    payTo: merchant,
    price: "5¢",
    maxTimeoutSeconds: 120,
    extra: { title: "Forecast" },
  };
  const routes: RoutesConfig = {
    "GET /forecast/:day": { accepts },
    "GET /later/:day": { accepts: { ...accepts, extra: { ...accepts.extra, paymentFlow: "upfront" } } },
    "GET /gold": { accepts: { ...accepts, price: "50¢" } },
  };
  const receipts = createReceiptVerifier({ provider, merchant, fetch, now: Date.now });
  return new x402HTTPResourceServer(server, routes).onProtectedRequest(letReturnIn(receipts));
}

async function startExpress(options: BackEndOptions): Promise<BackEnd> {
  const app = express().use(expressMiddleware(protect(options)));
  app.use(async (request, response) => {
    try {
      response.send(await options.handle(request.path));
    } catch {
      response.status(500).send("Out of order.");
    }
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return running(server);
}

async function startHono(options: BackEndOptions): Promise<BackEnd> {
  const app = new Hono().use(honoMiddleware(protect(options)));
  app.all("*", async (context) => {
    try {
      return context.text(await options.handle(context.req.path));
    } catch {
      return context.text("Out of order.", 500);
    }
  });
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, () =>
      resolve(running(server)),
    );
  });
}

interface Listening extends Pick<Server, "address"> {
  close(callback?: () => void): unknown;
}

function running(server: Listening): BackEnd {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the site has no port");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
