/** An Express site behind the middleware of `@x402/express` as it ships: `node express.ts FACILITATOR MERCHANT PROVIDER`. */
import { HTTPFacilitatorClient } from "@x402/core/server";
import { paymentMiddlewareFromHTTPServer, x402HTTPResourceServer, x402ResourceServer } from "@x402/express";
import express from "express";
import { TuppenceScheme } from "../../merchant/server/x402.ts";

const [url = "", payTo = "", provider = ""] = process.argv.slice(2);
const scheme = new TuppenceScheme({ provider });
const x402 = new x402ResourceServer(new HTTPFacilitatorClient({ url })).register(scheme.network, scheme);
const accepts = {
  scheme: scheme.scheme,
  network: scheme.network,
  payTo,
  price: "5¢",
  maxTimeoutSeconds: 120,
  extra: { title: "Tides" },
};
const site = express();
site.use(
  paymentMiddlewareFromHTTPServer(
    new x402HTTPResourceServer(x402, {
      "GET /tides": { accepts, description: "Tides", mimeType: "text/html" },
    }),
  ),
);
site.get("/tides", (_request, response) => {
  response.type("html").send("<p>All of it.</p>");
});
const server = site.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the site has no port");
  console.log(`http://127.0.0.1:${address.port}`);
});
