/** The doctor as a paying reader: what it finds with the paid text in hand, and what it spends. */
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { readUnverified } from "../../shared/jws.ts";
import { micros } from "../../shared/money.ts";
import { ReceiptClaims } from "../../shared/receipt.ts";
import { feedOf, PAID, SERVED, type SiteBreaks } from "../support/examined-site.ts";
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
} from "./examination.ts";

const { again, look } = openClinic();

describe("a paying reader's visit", () => {
  it("can be made again and again, because what it paid is given back", async () => {
    const first = await look({}, { ...TIDES, pays: true });
    const second = await again({ ...TIDES, pays: true });
    expect(second).toEqual(first);
    expect(second).toMatchObject({ outcome: "clean", leftOut: [] });
  });

  it("pays once where the merchant gives nothing back, and then comes back with the receipt", async () => {
    const first = await look({ registration: () => ({ refundWindowSeconds: 0 }) }, { ...TIDES, pays: true });
    expect(first).toMatchObject({ findings: [], paid: { amount: "50000" } });
    expect(first.leftOut).toHaveLength(2);
    const second = await again({ ...TIDES, pays: true });
    expect(second).toMatchObject({ findings: [], paid: { amount: "0" } });
    expect(second.leftOut.map(({ why }) => why)).toContain(
      "the payment: the wallet bought this before, and came back with its receipt",
    );
  });

  it.each([
    ["less than the price", 49_000n, ["the payment: it costs 5¢, and --max is 4.9¢"]],
    [
      "the price alone",
      50_000n,
      [
        "receipts of other articles: --max must be twice the price, of which one comes back",
        "payments of less: --max must be 0.1¢ above the price, which comes back",
      ],
    ],
  ])("never gives more than was allowed: %s", async (_name, max, leftOut) => {
    const report = await look({}, { ...TIDES, pays: true, max: micros(max) });
    expect(report.leftOut.filter(({ visitor }) => visitor === "payer").map(({ why }) => why)).toEqual(
      leftOut,
    );
  });

  it("finds paid text by itself that stands in a feed", async () => {
    const report = await look({ feed: ({ origin }) => feedOf(origin, PAID) }, { ...TIDES, pays: true });
    expect(codesOf(report)).toEqual(["paid-text-leaks"]);
    expect(report.findings[0]?.visitor).toBe("feed");
  });

  it("finds a back end that knows the key of a receipt and does not look at the signature", async () => {
    const known = believes(async (receipt, proof, paper) => {
      const { keys } = await keysOf(paper);
      const { kid } = v.parse(v.object({ kid: v.string() }), parseBase64(receipt.split(".")[0]));
      const claims = readUnverified(receipt, ReceiptClaims);
      const { resource, leastAmount } = expectationOf(paper);
      const fits = claims !== undefined && claims.resource === resource && claims.amount >= leastAmount;
      const header = `${receipt}~${proof}`;
      const isGenuine = (await paper.verifier.verifyReceipt(header, { resource, leastAmount })) !== undefined;
      return isGenuine || (fits && keys.some((key) => key.kid === kid) && isHeld(claims, proof));
    });
    const report = await look(known, { ...TIDES, pays: true });
    expect(report.findings).toMatchObject([
      { code: "receipt-not-verified", visitor: "payer" },
      // When the proof was made it does not look at either.
      { code: "receipt-proof-expired", visitor: "payer" },
    ]);
  });
});

describe("where paid text leaks", () => {
  const leak = (path: string, type: string, body: string): SiteBreaks => ({
    between: () => (request, response, next) =>
      request.originalUrl === path ? void response.type(type).send(body) : next(),
  });
  it.each([
    ["the version for printing", "/one.html?print=1", leak("/one.html?print=1", "html", `<p>${PAID}</p>`)],
    ["a file beside the page", "/one.txt", leak("/one.txt", "text", PAID)],
    [
      "a feed in JSON, its letters escaped",
      "/feed.json",
      leak("/feed.json", "json", escaped({ items: [{ content_html: PAID }] })),
    ],
    [
      "data for search engines",
      "/one.html",
      {
        page: (html: string) =>
          html.replace('{"@type"', () => `${escaped({ articleBody: PAID }).slice(0, -1)},"@type"`),
      },
    ],
    [
      "what a linked version holds",
      "/amp/1",
      {
        ...leak("/amp/1", "html", `<p>${PAID}</p>`),
        page: (html: string) => html.replace("</head>", '<link rel="amphtml" href="/amp/1"></head>'),
      },
    ],
  ])("is found: %s", async (_name, path, breaks) => {
    const report = await look(breaks, { paidText: `<p>${PAID}</p>` });
    expect(codesOf(report)).toEqual(["paid-text-leaks"]);
    expect(report.findings.map(({ where }) => new URL(where).pathname + new URL(where).search)).toContain(
      path,
    );
  });

  it("is found where the paid address is spelled otherwise", async () => {
    const report = await look({ between: before(`${SERVED}.json`, hand) }, { ...TIDES, pays: true });
    expect(report.findings).toMatchObject([
      { code: "paid-text-leaks", where: expect.stringContaining(`${SERVED}.json`) },
    ]);
  });

  it("is not looked for where the text is too short to tell", async () => {
    const report = await look(
      { feed: ({ origin }) => feedOf(origin, "The wheel turns.") },
      { paidText: "The wheel turns." },
    );
    expect(report.findings).toEqual([]);
    expect(report.leftOut.map(({ why }) => why)).toContain(
      "whether paid text leaks: it is shorter than a run of words",
    );
  });
});

function escaped(value: object): string {
  return JSON.stringify(value).replaceAll("w", "\\u0077");
}

function parseBase64(text = ""): unknown {
  return JSON.parse(Buffer.from(text, "base64url").toString());
}
