/** An article that costs 5¢, behind x402's wrapper for route handlers. It is paid for only if it was delivered. */
import { HTTPFacilitatorClient } from "@x402/core/server";
import { withX402FromHTTPServer, x402HTTPResourceServer, x402ResourceServer } from "@x402/next";
import { NextResponse } from "next/server";
import {
  createReceiptVerifier,
  createRecordSource,
  facilitatorUrl,
  letReturnIn,
  TuppenceScheme,
} from "../../../../../../../merchant/server/index.ts";

const {
  PROVIDER: provider = "http://127.0.0.1:4020",
  MERCHANT: merchant = "my-paper",
  SITE_URL = "http://127.0.0.1:8080",
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
  accepts,
  // As readers see it: what Next takes for its own address is not what stands in front of it.
  resource: `${SITE_URL}/api/articles/tides`,
  description: "Tides",
  mimeType: "text/html",
}).onProtectedRequest(letReturnIn(createReceiptVerifier(deps)));

let sell;

export function GET(request) {
  // Made for the first reader: `next build` runs this file as well, and need not reach the provider.
  sell ??= withX402FromHTTPServer(article, http);
  return sell(request);
}

async function article() {
  return new NextResponse(
    "<p>And this is why: the moon pulls the near water away from the earth, and the earth away from the far water. There are two hills of it, and we turn under both.</p>",
    { headers: { "content-type": "text/html; charset=utf-8", "cache-control": "private, no-store" } },
  );
}
