/** An article that costs 5¢, behind x402's middleware for Hono. The README beside this file says how to start it. */
import { serve } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { HTTPFacilitatorClient } from "@x402/core/server";
import { paymentMiddlewareFromHTTPServer, x402HTTPResourceServer, x402ResourceServer } from "@x402/hono";
import { Hono } from "hono";
import {
  createReceiptVerifier,
  createRecordSource,
  facilitatorUrl,
  letReturnIn,
  TuppenceScheme,
} from "../../../merchant/server/index.ts";

const {
  PROVIDER: provider = "http://127.0.0.1:4020",
  MERCHANT: merchant = "my-paper",
  PORT = "8080",
} = process.env;
const deps = { provider, merchant, fetch, now: Date.now };

const scheme = new TuppenceScheme({ provider, merchantRecord: createRecordSource(deps) });
const x402 = new x402ResourceServer(new HTTPFacilitatorClient({ url: facilitatorUrl(provider) })).register(
  scheme.network,
  scheme,
);
const accepts = {
  scheme: scheme.scheme,
  network: scheme.network,
  payTo: merchant,
  price: "5¢",
  maxTimeoutSeconds: 120,
  extra: { title: "Tides" },
};
const http = new x402HTTPResourceServer(x402, {
  "GET /api/articles/tides": { accepts, description: "Tides", mimeType: "text/html" },
}).onProtectedRequest(letReturnIn(createReceiptVerifier(deps)));

const app = new Hono();
// The snippet, as `npm run build -- --only merchant` makes it.
app.get("/tuppence.js", serveStatic({ path: "dist/merchant/tuppence.js" }));
app.get("/", (context) =>
  context.html(`<!doctype html>
<html lang="en">
<title>Tides</title>
<script type="module" src="/tuppence.js"></script>
<h1>Tides</h1>
<p>The sea comes in twice a day.</p>
<tuppence-paywall src="/api/articles/tides"></tuppence-paywall>
</html>`),
);
app.use(paymentMiddlewareFromHTTPServer(http));
app.get("/api/articles/tides", (context) => {
  context.header("cache-control", "private, no-store");
  return context.html("<p>And this is why.</p>");
});
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(PORT) }, ({ port }) => {
  console.log(`http://127.0.0.1:${port}`);
});
