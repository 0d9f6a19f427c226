/** Offers and seals that are not what they should be: refused in words, before anything is asked or paid. */
import { createServer, type Server } from "node:http";
import type { Page } from "@playwright/test";
import { type ErrorCode, tellReader } from "../../shared/errors.ts";
import { signingKeyFromSeed } from "../../shared/jws.ts";
import { makeOffer, type OfferTerms } from "../../shared/offer.ts";
import { issueSeal } from "../../shared/seal.ts";
import { expectBooksAddUp, type StockedReader, stockReader, totalOf } from "../support/books.ts";
import { expect, test } from "../support/extension.ts";
import { clickAndSend, markerRequest, publishHostilePage, requestOf } from "../support/hostile-page.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { approve, expectArticleOpen, paywallButton, pressToClose, readSnapshot } from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const PRICE = 50_000n;
const LARGEST_PAYMENT = 20_000_000n;

let provider: RunningProvider;
let reader: StockedReader;
let site: MerchantSite;
/** Registered for another address than the one that it is served from. */
let impostor: MerchantSite;
let elsewhere: { readonly server: Server; readonly origin: string; readonly connections: () => number };
let page: Page;

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  [reader, site, impostor, elsewhere] = await Promise.all([
    stockReader(provider),
    startMerchantSite(provider),
    startMerchantSite(provider, {
      id: "impostor",
      name: "Impostor",
      registeredOrigin: "https://somewhere-else.example",
    }),
    listenElsewhere(),
  ]);
});
test.beforeEach(async () => {
  page = await reader.extension.context.newPage();
});
test.afterEach(() => page.close());
test.afterAll(async () => {
  await expectBooksAddUp(provider, [reader]);
  await reader.extension.close();
  await site.close();
  await impostor.close();
  elsewhere.server.close();
  await provider.close();
});

interface BadOffer {
  readonly what: string;
  readonly code: ErrorCode;
  readonly offer: () => object;
}

const badOffers: readonly BadOffer[] = [
  { what: "no offer at all", code: "offer_invalid", offer: () => ({}) },
  { what: "nothing that it accepts", code: "offer_invalid", offer: () => ({ ...offer(), accepts: [] }) },
  { what: "another version", code: "offer_invalid", offer: () => ({ ...offer(), x402Version: 1 }) },
  {
    what: "a resource that is no address",
    code: "offer_invalid",
    offer: () => ({ ...offer(), resource: { url: "javascript:alert(1)" } }),
  },
  {
    what: "a merchant's id that is none",
    code: "offer_invalid",
    offer: () => changed({ payTo: "../admin" }),
  },
  { what: "no time at all", code: "offer_invalid", offer: () => changed({ maxTimeoutSeconds: 0 }) },
  { what: "a time without end", code: "offer_invalid", offer: () => changed({ maxTimeoutSeconds: 1e9 }) },
  { what: "an amount of zero", code: "amount_invalid", offer: () => changed({ amount: "0" }) },
  { what: "a negative amount", code: "amount_invalid", offer: () => changed({ amount: "-50000" }) },
  { what: "a fractional amount", code: "amount_invalid", offer: () => changed({ amount: "50000.5" }) },
  { what: "an amount in exponents", code: "amount_invalid", offer: () => changed({ amount: "5e4" }) },
  { what: "an amount that is a number", code: "amount_invalid", offer: () => changed({ amount: 50_000 }) },
  {
    what: "an amount above the provider's limit",
    code: "amount_too_large",
    offer: () => changed({ amount: `${LARGEST_PAYMENT + 1_000n}` }),
  },
  {
    what: "an amount above every number",
    code: "amount_too_large",
    offer: () => changed({ amount: "9".repeat(400) }),
  },
  {
    what: "an amount that no coins make",
    code: "amount_not_payable",
    offer: () => changed({ amount: "50500" }),
  },
  {
    what: "a currency that the wallet does not hold",
    code: "currency_unknown",
    offer: () => offer({ currency: "EUR" }),
  },
  {
    what: "a merchant that does not exist",
    code: "merchant_unknown",
    offer: () => offer({ merchant: "nobody" }),
  },
  {
    what: "an article on another site",
    code: "resource_mismatch",
    offer: () => offer({ resource: "https://example.org/article" }),
  },
  {
    what: "a merchant's record that was altered",
    code: "merchant_record_invalid",
    offer: () => offer({ merchantRecord: altered(recordOf(site)) }),
  },
  {
    what: "another merchant's record",
    code: "merchant_record_invalid",
    offer: () => offer({ merchantRecord: recordOf(impostor) }),
  },
  { what: "another provider", code: "provider_unknown", offer: () => offer({ provider: elsewhere.origin }) },
];

for (const [index, { what, code, offer: badOffer }] of badOffers.entries()) {
  test(`an offer with ${what} is not asked about, and the page hears ${code}`, async () => {
    await page.goto(publishHostilePage(site, `/bad-${index}.html`));
    const [answer] = await clickAndSend(page, [requestOf("pay", { offer: badOffer(), mode: "direct" })]);
    expectRefusal(answer, code);
    expect(await questions()).toEqual([]);
    expect(elsewhere.connections(), "connections to an address that only the page named").toBe(0);
  });
}

test("a page that stands on none of the merchant's sites cannot be paid in the merchant's name", async () => {
  await page.goto(publishHostilePage(impostor, "/pay.html"));
  const terms = { merchant: impostor.id, resource: impostor.addressOf("/pay.html") };
  for (const merchantRecord of [undefined, recordOf(impostor)]) {
    const asked = offer({ ...terms, ...(merchantRecord === undefined ? {} : { merchantRecord }) });
    const [answer] = await clickAndSend(page, [requestOf("pay", { offer: asked, mode: "direct" })]);
    expectRefusal(answer, "origin_not_verified");
  }
  // Nor by naming a merchant that is genuine, but somebody else.
  const [answer] = await clickAndSend(page, [
    requestOf("pay", { offer: offer({ ...terms, merchant: site.id }), mode: "http" }),
  ]);
  expectRefusal(answer, "origin_not_verified");
  expect(await questions()).toEqual([]);
});

test("a tip whose range makes no sense is not asked about", async () => {
  const tip = offer({ kind: "tip" });
  const ranges = [
    { least: "60000", most: "100000" },
    { least: "1000", most: "40000" },
    { least: "0", most: "100000" },
    { least: "1000", most: "999999999999" },
    { least: "1500", most: "100000" },
  ];
  const codes: (string | undefined)[] = [];
  await page.goto(publishHostilePage(site, "/tips.html"));
  for (const range of ranges) {
    const [answer] = await clickAndSend(page, [requestOf("tip", { offer: tip, ...range })]);
    codes.push(answer?.error?.code);
  }
  expect(codes).toEqual([
    "amount_invalid",
    "amount_invalid",
    "amount_invalid",
    "amount_too_large",
    "amount_not_payable",
  ]);
  const [asArticle] = await clickAndSend(page, [
    requestOf("tip", { offer: offer(), least: "1000", most: "100000" }),
  ]);
  expectRefusal(asArticle, "offer_invalid");
  expect(await questions()).toEqual([]);
});

test("an article whose offer was broken tells its reader so, and lets them try again", async () => {
  const cases: readonly { readonly change: (data: ArticleData) => unknown; readonly code: ErrorCode }[] = [
    { change: ({ sealed }) => ({ offer: "none", sealed }), code: "offer_invalid" },
    { change: (data) => withTerms(data, { amount: "0" }), code: "amount_invalid" },
    { change: (data) => withTerms(data, { amount: "50500" }), code: "amount_not_payable" },
    { change: (data) => withExtra(data, { provider: elsewhere.origin }), code: "provider_unknown" },
    { change: (data) => withTerms(withoutRecord(data), { payTo: "nobody" }), code: "merchant_unknown" },
  ];
  for (const [index, { change, code }] of cases.entries()) {
    await publishChanged(`/broken-${index}.html`, change);
    await page.goto(site.addressOf(`/broken-${index}.html`));
    await paywallButton(page).click();
    await expectTold(code);
    await expect(paywallButton(page)).toHaveText(/try again$/);
  }
  expect(await questions()).toEqual([]);
});

test("a seal that was altered, signed by another, for another price or article charges nothing", async () => {
  const before = await totalOf(reader);
  const other = await site.publishArticle("/other-seal.html", article("Another one"), {});
  const stranger = await signingKeyFromSeed(crypto.getRandomValues(new Uint8Array(32)));
  const path = (index: number) => `/seal-${index}.html`;
  const cases: readonly { readonly change: Change; readonly code: ErrorCode }[] = [
    { change: (data) => withExtra(data, { seal: altered(sealOf(data)) }), code: "seal_invalid" },
    {
      change: async (data) => {
        const seal = await issueSeal(
          { ...sealTerms(), resource: data.offer.resource.url },
          crypto.getRandomValues(new Uint8Array(32)),
          site.terms.provider.sealingKey,
          stranger,
        );
        return withExtra(data, { seal });
      },
      code: "seal_invalid",
    },
    { change: (data) => withTerms(data, { amount: "1000" }), code: "seal_mismatch" },
    {
      change: (data) => withExtra(data, { seal: other.parts[0]?.offer.accepts[0]?.extra.seal ?? "" }),
      code: "seal_mismatch",
    },
  ];
  for (const [index, { change, code }] of cases.entries()) {
    await publishChanged(path(index), change);
    await page.goto(site.addressOf(path(index)));
    await paywallButton(page).click();
    const question = await reader.extension.waitForApproval();
    await approve(question);
    // The window says why, and stays for as long as the reader reads it.
    await expect(question.getByRole("alert")).toHaveText(new RegExp(tellReader(code).split(". ")[0] ?? ""));
    await expect(question.getByRole("alert")).toContainText("You were not charged");
    await pressToClose(question, question.getByRole("button", { name: "Close" }));
    await expectTold(code);
    expect(await totalOf(reader)).toBe(before);
  }
  const { payments } = await readSnapshot(reader.extension);
  expect(payments.map(({ state }) => state)).toEqual(cases.map(() => "failed"));
});

test("an article without a seal brings no key, so that the money comes back by itself", async () => {
  const before = await totalOf(reader);
  await publishChanged("/unsealed.html", (data) => {
    const [{ extra, ...terms } = failNoTerms()] = data.offer.accepts;
    const { seal: _seal, ...rest } = extra;
    return { ...data, offer: { ...data.offer, accepts: [{ ...terms, extra: rest }] } };
  });
  await page.goto(site.addressOf("/unsealed.html"));
  await paywallButton(page).click();
  await approve(await reader.extension.waitForApproval());
  await expectTold("content_unreadable");
  await expect.poll(async () => (await readSnapshot(reader.extension)).payments[0]?.state).toBe("refunded");
  expect(await totalOf(reader)).toBe(before);
});

test("after all of that, an honest article of the same merchant is paid for once", async () => {
  const before = await totalOf(reader);
  await site.publishArticle("/honest.html", article("Honest"));
  await page.goto(site.addressOf("/honest.html"));
  await paywallButton(page).click();
  await approve(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  await expect(page.getByText("The paid part of Honest.")).toBeVisible();
  expect(await totalOf(reader)).toBe(before - PRICE);
  // The page may know of the wallet now, and what does not decode is answered as such.
  await page.goto(publishHostilePage(site, "/known.html"));
  const [answer] = await clickAndSend(page, [
    requestOf("pay", { offer: "a text", mode: "direct" }),
    markerRequest(),
  ]);
  expectRefusal(answer, "message_invalid");
});

interface ArticleData {
  readonly offer: ReturnType<typeof makeOffer>;
  readonly sealed: string;
}
type Change = (data: ArticleData) => unknown;

function article(title: string) {
  return { title, paid: `<p>The paid part of ${title}.</p>`, price: "5¢" };
}

/** Publishes an article as sealed, but for what somebody changed in the published file. */
async function publishChanged(path: string, change: Change): Promise<void> {
  const { html } = await site.publishArticle(path, article(`Article ${path}`));
  const [whole, json = ""] = /<script type="application\/tuppence\+json">(.*?)<\/script>/s.exec(html) ?? [];
  const data: ArticleData = JSON.parse(json);
  const changedJson = JSON.stringify(await change(data)).replaceAll("<", "\\u003c");
  site.publish(
    path,
    html.replace(whole ?? failNoTerms(), () => whole?.replace(json, () => changedJson) ?? ""),
  );
}

function offer(terms: Partial<OfferTerms> = {}) {
  return makeOffer({
    provider: provider.origin,
    merchant: site.id,
    amount: PRICE,
    currency: "USD",
    kind: "article",
    title: "Bait",
    resource: site.addressOf("/bait.html"),
    ...terms,
  });
}

function changed(terms: object): object {
  const { accepts, ...rest } = offer();
  return { ...rest, accepts: [{ ...accepts[0], ...terms }] };
}

function withTerms(data: ArticleData, terms: object): ArticleData {
  const [first = failNoTerms()] = data.offer.accepts;
  return { ...data, offer: { ...data.offer, accepts: [{ ...first, ...terms }] } };
}

function withExtra(data: ArticleData, extra: object): ArticleData {
  const [first = failNoTerms()] = data.offer.accepts;
  return withTerms(data, { extra: { ...first.extra, ...extra } });
}

function withoutRecord(data: ArticleData): ArticleData {
  const [first = failNoTerms()] = data.offer.accepts;
  const { merchantRecord: _record, ...extra } = first.extra;
  return withTerms(data, { extra });
}

function sealOf({ offer: { accepts } }: ArticleData): string {
  return accepts[0]?.extra.seal ?? failNoTerms();
}

function sealTerms() {
  return {
    merchant: site.id,
    amount: PRICE,
    currency: "USD",
    issuedAtSeconds: Math.floor(Date.now() / 1_000),
  };
}

function recordOf({ terms }: MerchantSite): string {
  return terms.merchantRecord ?? failNoTerms();
}

/** The same token, with one character of its signature changed: not the last, which carries unused bits. */
function altered(token: string): string {
  const at = token.lastIndexOf(".") + 5;
  return token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
}

function failNoTerms(): never {
  throw new Error("the article was published without terms");
}

function expectRefusal(
  answer: { readonly error?: { readonly code: string; readonly message: string } } | undefined,
  code: ErrorCode,
): void {
  expect(answer?.error).toEqual({ code, message: tellReader(code) });
  expect(answer?.error?.message).toMatch(/not charged|comes back/);
}

/** What the reader reads below the button: what happened, that the money is safe, what to do. */
async function expectTold(code: ErrorCode): Promise<void> {
  await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "error");
  await expect(page.locator("tuppence-paywall").getByRole("status")).toHaveText(tellReader(code));
}

async function questions(): Promise<string[]> {
  const { approvals } = await readSnapshot(reader.extension);
  return approvals.filter(({ state }) => state === "asking").map(({ id }) => id);
}

/** Somebody's server, which hears of every connection. */
async function listenElsewhere() {
  let connections = 0;
  const server = createServer((_request, response) => response.end("{}"));
  server.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return { server, origin: `http://127.0.0.1:${address.port}`, connections: () => connections };
}
