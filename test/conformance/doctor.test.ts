/** The site doctor at real sites: those in order are clean, and each way to break one is found, by its code and nothing else. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { describe, expect, it, test } from "vitest";
import { startNewspaper } from "../../demo/serve.ts";
import type { FindingCode } from "../../merchant/cli/doctor/findings.ts";
import { DoctorReport } from "../../merchant/cli/doctor/report.ts";
import { runDoctor } from "../../merchant/cli/doctor.ts";
import { readUnverified, signingKeyFromSeed } from "../../shared/jws.ts";
import { micros } from "../../shared/money.ts";
import { ReceiptClaims, verifyReceipt } from "../../shared/receipt.ts";
import { FREE, feedOf, PAID, type Paper, SERVED, type SiteBreaks } from "../support/examined-site.ts";
import {
  before,
  believes,
  codesOf,
  expectationOf,
  hand,
  isHeld,
  keysOf,
  openClinic,
  TIDES,
  type Visit,
} from "./examination.ts";

const { look, provider } = openClinic();

describe("a site in order", () => {
  it("is clean, sealed, also when its text is known", async () => {
    const report = await look({}, { paidText: PAID });
    expect(report.findings).toEqual([]);
    expect(report.outcome).toBe("clean");
  });

  it("is clean, sealed, and one reader's visit buys it once", async () => {
    const report = await look({}, { pays: true });
    expect(report).toMatchObject({ outcome: "clean", leftOut: [], paid: { amount: "0" } });
  });

  it("is clean behind stock x402 middleware, and what had to be refused cost nothing", async () => {
    const report = await look({}, { path: "/tides.html", pays: true });
    expect(report).toMatchObject({ findings: [], leftOut: [], paid: { amount: "0" } });
  });

  it("is clean at the address that answers 402 itself", async () => {
    const report = await look({}, { path: SERVED, pays: true });
    expect(report).toMatchObject({ findings: [], leftOut: [], paid: { amount: "0" } });
  });

  it("is clean: the demonstration's newspaper, its sealed stories and the one behind a back end", async () => {
    const paper = await openNewspaper();
    try {
      for (const story of ["tide-mills", "buried-river"]) {
        const url = `${paper.origin}/articles/${story}.html`;
        const printed: string[] = [];
        const deps = { fetch, now: Date.now, write: () => undefined, note: () => undefined };
        const isFine = await runDoctor([url, "--json", "--strict", "--snippet", paper.snippetFile], {
          ...deps,
          print: (line) => void printed.push(line),
        });
        const report = v.parse(DoctorReport, JSON.parse(printed.join("\n")));
        expect(report.findings.filter(({ severity }) => severity !== "note")).toEqual([]);
        expect(isFine).toBe(true);
      }
    } finally {
      await paper.close();
    }
  });
});

/** How each finding comes about. `also` is what cannot be helped then. */
interface Case extends SiteBreaks, Visit {
  readonly also?: readonly FindingCode[];
}

const PUBLIC = "https://paper.example";

const replace = (from: string | RegExp, to: string) => ({ page: (html: string) => html.replace(from, to) });
const header = (name: string, value: string) => ({ headers: () => ({ [name]: value }) });
/** A line for each finding: the compiler asks for those that are missing. */
const CASES: Readonly<Record<FindingCode, Case>> = {
  "page-redirected": {
    path: "/old.html",
    between: before("/old.html", (_request, response) => response.redirect("/one.html")),
  },
  "page-not-secure": { publicOrigin: "http://paper.example", also: ["provider-private"] },
  "page-too-large": { limits: { bodyBytes: 60_000 }, ...replace("</body>", "<p>more</p>".repeat(10_000)) },
  "page-sandboxed": header("content-security-policy", "sandbox allow-scripts"),
  "mixed-content": {
    publicOrigin: PUBLIC,
    ...replace('src="/tuppence.js"', 'src="http://paper.example/tuppence.js"'),
    also: ["provider-private", "snippet-unreachable"],
  },
  "paywall-missing": replace(/<tuppence-paywall.*<\/tuppence-paywall>/s, ""),
  "paywall-unreadable": replace('{"offer"', "{offer"),
  "wallet-link-missing": replace(' wallet-url="/wallet.html"', ""),
  "snippet-missing": { ...TIDES, ...replace(/<script type="module".*?<\/script>/, "") },
  "snippet-unreachable": {
    between: before("/tuppence.js", (_request, response) => void response.status(404).send("gone")),
  },
  "snippet-changed": {
    between: before("/tuppence.js", (_request, response) => void response.type("text/javascript").send("//")),
  },
  "snippet-other-build": {
    ...TIDES,
    between: before("/tuppence.js", (_request, response) => void response.type("text/javascript").send("//")),
  },
  "snippet-elsewhere": { ...TIDES, ...replace("/tuppence.js", "https://cdn.example/tuppence.js") },
  "csp-blocks-snippet": header("content-security-policy", "script-src https://cdn.example"),
  "csp-blocks-served": {
    ...TIDES,
    ...header("content-security-policy", "default-src 'none'; script-src 'self'"),
  },
  "csp-blocks-text": header(
    "content-security-policy",
    "require-trusted-types-for 'script'; trusted-types other",
  ),
  "frame-sandboxed": {
    path: "/frame.html",
    registration: ({ origin }) => ({ frameParents: [origin] }),
    between: before("/frame.html", (_request, response) => {
      response.type("html").send('<iframe src="/one.html" sandbox="allow-scripts"></iframe>');
    }),
  },
  "frame-not-listed": {
    path: "/frame.html",
    between: before("/frame.html", (_request, response) => {
      response.type("html").send('<iframe src="/one.html"></iframe>');
    }),
  },
  "frame-refused": {
    registration: () => ({ frameParents: ["https://reader.example"] }),
    ...header("x-frame-options", "SAMEORIGIN"),
  },
  "served-unreachable": {
    ...TIDES,
    between: before(SERVED, (_request, response) => void response.status(500).send("oh")),
  },
  "served-free": { ...TIDES, between: before(SERVED, hand) },
  "offer-unreadable": replace('"scheme":"exact"', '"scheme":"upto"'),
  "offer-not-payable": {
    ...TIDES,
    between: before(SERVED, (_request, response, next) => {
      const set = response.setHeader.bind(response);
      response.setHeader = (name, value) =>
        set(
          name,
          /^payment-required$/i.test(name)
            ? reoffer(`${value}`, (text) => text.replace('"50000"', '"50001"'))
            : value,
        );
      next();
    }),
  },
  "resource-elsewhere": { resource: () => "https://elsewhere.example/one.html" },
  "resource-differs": { resource: ({ origin }) => `${origin}/two.html` },
  "provider-unreachable": {
    ...replace(/"provider":"[^"]+"/, '"provider":"http://127.0.0.1:9"'),
  },
  "provider-private": { publicOrigin: PUBLIC },
  "provider-in-test-mode": { provider: (said) => said.replace('"mode":"live"', '"mode":"test"') },
  "merchant-unknown": { ...TIDES, payTo: "nobody-we-know" },
  "origin-not-registered": { registration: () => ({ origins: ["https://elsewhere.example"] }) },
  "record-invalid": { sealing: async () => ({ merchantRecord: "e30.e30.AAAA" }) },
  "record-expired": { aheadMs: 172_800_000 },
  "seal-missing": replace(/,"seal":"[^"]+"/, ""),
  "seal-mismatch": { ...replace('"amount":"50000"', '"amount":"40000"'), also: ["seal-refused"] },
  "seal-refused": {
    sealing: async () => ({ key: await signingKeyFromSeed(crypto.getRandomValues(new Uint8Array(32))) }),
  },
  "payment-not-checked": {
    ...TIDES,
    between: before(SERVED, (request, response, next) =>
      request.get("payment-signature") ? hand(request, response, next) : next(),
    ),
  },
  "price-not-bound": {
    ...TIDES,
    pays: true,
    between: (paper) => (request, response, next) => {
      const signature = request.path === SERVED ? request.get("payment-signature") : undefined;
      if (signature === undefined) return next();
      settleWhatItSays(signature, paper).then(
        (paid) => (paid ? hand(request, response, next) : next()),
        next,
      );
    },
  },
  "payment-not-taken": {
    ...TIDES,
    pays: true,
    between: before(SERVED, (request, _response, next) => {
      delete request.headers["payment-signature"];
      next();
    }),
  },
  "article-unreadable": { ...replace(/"sealed":"..../, '"sealed":"AAAA'), pays: true },
  "receipt-not-verified": believes(async (receipt, proof) => {
    const claims = readUnverified(receipt, ReceiptClaims);
    return claims !== undefined && isHeld(claims, proof);
  }),
  "receipt-other-article": {
    ...believes(async (receipt, proof, { verifier }) => {
      const resource = readUnverified(receipt, ReceiptClaims)?.resource ?? "";
      return (
        (await verifier.verifyReceipt(`${receipt}~${proof}`, { resource, leastAmount: micros(50_000n) })) !==
        undefined
      );
    }),
    pays: true,
  },
  "receipt-too-small": {
    ...TIDES,
    pays: true,
    between: (paper) => (request, response, next) => {
      const resource = paper.origin + request.originalUrl;
      const shown = request.path === SERVED ? request.get("payment-receipt") : undefined;
      paper.verifier
        .verifyReceipt(shown, { resource, leastAmount: micros(1_000n) })
        .then((claims) => (claims ? hand(request, response, next) : next()), next);
    },
  },
  "receipt-not-held": {
    ...believes(async (receipt, _proof, paper) => {
      return (await verifyReceipt(receipt, await keysOf(paper), expectationOf(paper))) !== undefined;
    }),
    pays: true,
    // A proof that nobody looks at may be as old as it likes.
    also: ["receipt-proof-expired"],
  },
  "receipt-proof-expired": {
    ...believes(async (receipt, proof, paper) => {
      const claims = await verifyReceipt(receipt, await keysOf(paper), expectationOf(paper));
      return claims !== undefined && isHeld(claims, proof);
    }),
    pays: true,
  },
  "receipt-not-accepted": { ...TIDES, pays: true, forgetsReaders: true },
  "page-kept-long": header("cache-control", "public, max-age=604800"),
  "offer-cacheable": { ...TIDES, between: keeps(false, "public, max-age=600") },
  "paid-answer-cacheable": { ...TIDES, pays: true, between: keeps(true, "public, max-age=600") },
  "paid-answer-unmarked": { ...TIDES, pays: true, between: keeps(true, undefined) },
  "paid-answer-kept": {
    ...TIDES,
    pays: true,
    between: () => {
      // A cache that looks at nothing but the address.
      let kept = false;
      return (request, response, next) => {
        response.on("finish", () => {
          kept ||= request.path === SERVED && response.statusCode === 200;
        });
        if (kept && request.path === SERVED && !request.get("payment-receipt")) hand(request, response, next);
        else next();
      };
    },
    also: ["paid-text-leaks", "price-not-bound"],
  },
  "paid-answer-revalidates": {
    ...TIDES,
    pays: true,
    between: before(SERVED, (request, response, next) =>
      request.get("if-none-match") ? void response.status(304).end() : next(),
    ),
  },
  "paid-text-leaks": { feed: ({ origin }) => feedOf(origin, PAID), paidText: PAID },
  "crawler-given-more": {
    between: () => (request, response, next) => {
      const isForCrawlers = request.path === "/one.html" && /Googlebot/.test(request.get("user-agent") ?? "");
      if (isForCrawlers)
        response.type("html").send(`<p>${FREE}</p><p>${PAID} ${PAID.replaceAll("the", "its")}</p>`);
      else next();
    },
  },
  "crawler-turned-away": {
    between: () => (request, response, next) => {
      if (/Googlebot/.test(request.get("user-agent") ?? "")) response.status(403).end();
      else next();
    },
  },
  "crawler-kept-out": {
    between: before(
      "/robots.txt",
      (_request, response) => void response.type("text").send("User-agent: *\nDisallow: /one"),
    ),
  },
  "structured-data-missing": replace(/<script type="application\/ld\+json">.*?<\/script>/, ""),
  "structured-data-wrong": replace(/"isAccessibleForFree":false/g, '"isAccessibleForFree":true'),
  "feed-gives-more": {
    feed: ({ origin }) => feedOf(origin, `${FREE} ${PAID} ${PAID.replaceAll("the", "its")}`),
  },
};

describe("a site that is broken", () => {
  test.each(Object.entries(CASES))(
    "%s is found, and nothing that is in order",
    async (code, { also = [], ...broken }) => {
      const report = await look(broken, broken);
      expect(codesOf(report)).toEqual([code, ...also].sort());
    },
  );
});

function reoffer(value: string, change: (text: string) => string): string {
  return Buffer.from(change(Buffer.from(value, "base64").toString())).toString("base64");
}

/** Takes to the provider what the payment calls its terms, as if they were the site's. */
async function settleWhatItSays(signature: string, { provider: origin }: Paper): Promise<boolean> {
  const paymentPayload = v.parse(
    v.looseObject({ accepted: v.unknown() }),
    JSON.parse(Buffer.from(signature, "base64").toString()),
  );
  const body = { x402Version: 2, paymentPayload, paymentRequirements: paymentPayload.accepted };
  const response = await fetch(`${origin}/x402/settle`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return v.parse(v.looseObject({ success: v.boolean() }), await response.json()).success;
}

/** What is paid for, or what is not, says this and nothing else of keeping it; nothing at all where it is undefined. */
function keeps(paid: boolean, value: string | undefined): NonNullable<SiteBreaks["between"]> {
  return before(SERVED, (request, response, next) => {
    const isPaid = (request.get("payment-signature") ?? request.get("payment-receipt")) !== undefined;
    const set = response.setHeader.bind(response);
    response.setHeader = (name, given) => {
      if (isPaid !== paid || !/^cache-control$/i.test(name)) return set(name, given);
      return value === undefined ? response : set(name, value);
    };
    next();
  });
}

async function openNewspaper() {
  const dataFolder = mkdtempSync(join(tmpdir(), "tuppence-examined-paper-"));
  const snippetFile = join(dataFolder, "tuppence.js");
  writeFileSync(snippetFile, 'customElements.define("tuppence-paywall", class extends HTMLElement {});');
  const sealKey = await signingKeyFromSeed(crypto.getRandomValues(new Uint8Array(32)));
  const { origin, provider: running } = provider();
  const paper = await startNewspaper({
    provider: origin,
    merchantId: "the-lantern",
    sealKey,
    port: 0,
    dataFolder,
    snippetFile,
    onOrigin: async (at) => {
      const sealKeys = [sealKey.publicJwk];
      await running.deps.merchants.put({ id: "the-lantern", name: "The Lantern", origins: [at], sealKeys });
    },
  });
  return {
    origin: paper.origin,
    snippetFile,
    close: async () => {
      await paper.close();
      rmSync(dataFolder, { recursive: true });
    },
  };
}
