/** A site that carries sealed payments and is hostile: what it keeps, settles late, alters or claims costs nobody anything. */
import type { Page } from "@playwright/test";
import { tellReader } from "../../shared/errors.ts";
import {
  expectBooksAddUp,
  paidToMerchants,
  type StockedReader,
  stockReader,
  totalOf,
} from "../support/books.ts";
import { keepOnly, putBack } from "../support/drawer.ts";
import { expect, test, turnClock } from "../support/extension.ts";
import { type FaultProxy, startProviderBehindProxy } from "../support/fault-proxy.ts";
import type { RunningProvider } from "../support/provider.ts";
import { approveAndClose, expectArticleOpen, paywallButton, readSnapshot } from "../support/reader.ts";
import {
  paidPartOf,
  type ServedSite,
  type SiteAnswer,
  settle,
  startServedSite,
  type TakenPayment,
} from "../support/served-site.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const PRICE = 50_000n;
/** So that a test sees the end of a payment's time. */
const SHORT_SECONDS = 2;
/** Beyond the time of every offer that does not say otherwise. */
const LATER_MS = 200_000;
const REFUSAL: SiteAnswer = { status: 403 };

let provider: RunningProvider;
let proxy: FaultProxy;
let reader: StockedReader;
let site: ServedSite;
/** In league with the site. */
let accomplice: ServedSite;
let page: Page;
let before: Standing;
/** Genuine, and for something else. */
let receiptOfAnother: string;
let receiptForAnother: string;

interface Standing {
  readonly reader: bigint;
  readonly merchants: bigint;
  readonly budget: string | undefined;
}

test.beforeAll(async () => {
  ({ provider, proxy } = await startProviderBehindProxy({ environment: SANDBOX_ENVIRONMENT }));
  [reader, site, accomplice] = await Promise.all([
    stockReader(provider),
    startServedSite(provider),
    startServedSite(provider, { id: "accomplice", name: "Accomplice" }),
  ]);
  receiptOfAnother = await buyFor(site);
  receiptForAnother = await buyFor(accomplice);
});
test.beforeEach(async () => {
  page = await reader.extension.context.newPage();
  before = await standing();
});
test.afterEach(async () => {
  await page.close();
  expect(proxy.pending(), "faults that no request met").toBe(0);
  await expectBooksAddUp(provider, [reader]);
});
test.afterAll(async () => {
  await reader.extension.close();
  await site.close();
  await accomplice.close();
  await provider.close();
});

for (const { what, status } of [
  { what: "refuses the article", status: 403 },
  { what: "says that it is out of order", status: 500 },
]) {
  test(`a site that keeps the payment and ${what} gets nothing, and the reader's coins and budget come back`, async () => {
    site.conduct(() => ({ status }));
    const title = `Kept and ${status}`;
    await page.goto(site.offer(title, { maxTimeoutSeconds: SHORT_SECONDS }));
    await paywallButton(page).click();
    await expectSiteFailed();
    await expectState(title, "failed");
    expect(await standing()).toEqual(before);
    const popup = await reader.extension.openPopup();
    await expect(popup.getByRole("listitem").filter({ hasText: title })).toContainText("Not charged");
    await popup.close();

    // The next click is a payment of its own, and not refused for the first one's sake.
    site.conduct(site.honestly);
    await paywallButton(page).click();
    await expectArticleOpen(page);
    await expect(page.getByText(paidPartOf(title))).toBeVisible();
    await expectOneCharge();
  });
}

test("a site that keeps the payment and never answers gets nothing, and the coins come back while the page still waits", async () => {
  const silence = Promise.withResolvers<SiteAnswer>();
  site.conduct(() => silence.promise);
  const title = "Unanswered";
  await page.goto(site.offer(title, { maxTimeoutSeconds: SHORT_SECONDS }));
  await paywallButton(page).click();
  await expectState(title, "failed");
  expect(await standing()).toEqual(before);
  await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "opening");
  silence.resolve(REFUSAL);
  await expectSiteFailed();
});

test("a payment that the site settles after its time is refused, and nothing is gained by it", async () => {
  site.conduct(() => REFUSAL);
  const title = "Too late";
  await page.goto(site.offer(title, { maxTimeoutSeconds: SHORT_SECONDS }));
  await paywallButton(page).click();
  await expectState(title, "failed");
  expect(await settle(provider, site.newest())).toMatchObject({
    success: false,
    errorReason: "payment_expired",
  });
  expect(await standing()).toEqual(before);
});

test("a site that takes its payment and denies the article is paid once, and the reader takes the money back", async () => {
  site.conduct(async (taken) => {
    await settle(provider, taken);
    return REFUSAL;
  });
  const title = "Taken and denied";
  await page.goto(site.offer(title));
  await paywallButton(page).click();
  await expectSiteFailed();
  await expectState(title, "paid");
  await expectOneCharge();

  const popup = await reader.extension.openPopup();
  await popup.getByRole("button", { name: new RegExp(`^Money back for ${title}, until `) }).click();
  await expect(popup.getByRole("listitem").filter({ hasText: title })).toContainText("Money is back");
  await popup.close();
  const { reader: total, merchants } = await standing();
  expect({ total, merchants }).toEqual({ total: before.reader, merchants: before.merchants });
});

test("a payment that the site settles late but in time is noticed, and the next click opens the article without another", async () => {
  site.conduct(() => REFUSAL);
  const title = "Late, but in time";
  await page.goto(site.offer(title));
  await paywallButton(page).click();
  await expectSiteFailed();
  expect((await paymentOf(title)).state).toBe("pending");
  expect(await settle(provider, site.newest())).toMatchObject({ success: true });
  // By itself: nobody asks the wallet.
  await expectState(title, "paid");
  await paywallButton(page).click();
  await expectArticleOpen(page);
  await expect(page.getByText(paidPartOf(title))).toBeVisible();
  await expectOneCharge();
});

test("a payment that is settled many times at once is charged once", async () => {
  site.conduct(async (taken) => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => settle(provider, taken)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    return site.honestly(taken);
  });
  await page.goto(site.offer("Settled eight times"));
  await paywallButton(page).click();
  await expectArticleOpen(page);
  await expectOneCharge();
});

test("a site cannot use a payment for another merchant, article, amount, kind or time than the reader agreed to", async () => {
  site.conduct(() => REFUSAL);
  const title = "Turned round";
  await page.goto(site.offer(title));
  await paywallButton(page).click();
  await expectSiteFailed();
  const taken = site.newest();
  const changed = (changes: object): TakenPayment => ({
    ...taken,
    accepted: { ...taken.accepted, ...changes },
  });
  const alterations: readonly (readonly [what: string, payment: TakenPayment, requirements?: object])[] = [
    ["another merchant", changed({ payTo: accomplice.id })],
    ["another merchant, in what it asks for alone", taken, { ...taken.accepted, payTo: accomplice.id }],
    ["a higher price", changed({ amount: "100000" })],
    ["a lower price", changed({ amount: "1000" })],
    ["a tip", changed({ extra: { ...taken.accepted.extra, kind: "tip" } })],
    ["another article", { ...taken, resource: { ...taken.resource, url: `${site.origin}/served/1` } }],
    ["more time", { ...taken, payload: { ...taken.payload, expiresAt: taken.payload.expiresAt + 3_600 } }],
  ];
  for (const [what, payment, requirements] of alterations)
    expect(await settle(provider, payment, requirements), what).toMatchObject({
      success: false,
      errorReason: "payment_sealed_invalid",
    });
  expect((await standing()).merchants).toBe(before.merchants);
  // It is still good for what the reader agreed to, and only for that.
  expect(await settle(provider, taken)).toMatchObject({ success: true });
  await expectState(title, "paid");
  await expectOneCharge();
});

test("a site that puts change outputs of its own beside the payment gets the price, and the change is the reader's", async () => {
  // Two coins that make the price only together, and with change.
  const [coin] = await keepOnly(reader.extension, 20_000n, 2);
  const outputs = [{ amount: 0, id: coin?.keysetId, B_: `02${"ab".repeat(32)}` }];
  site.conduct((taken) => site.honestly({ ...taken, outputs, payload: { ...taken.payload, outputs } }));
  const title = "With change";
  await page.goto(site.offer(title, { amount: 35_000n }));
  await paywallButton(page).click();
  await expectArticleOpen(page);
  await expectState(title, "paid");
  await putBack(reader.extension);
  expect(await standing()).toMatchObject({
    reader: before.reader - 35_000n,
    merchants: before.merchants + 35_000n,
  });
});

test("a site that shows a receipt without settling has proved nothing: the coins come back, and nothing is taken for bought", async () => {
  const shown: Record<string, string> = {
    altered: altered(receiptOfAnother),
    "of another payment": receiptOfAnother,
    "for another merchant": receiptForAnother,
  };
  for (const [what, receipt] of Object.entries(shown)) {
    site.conduct(() => ({
      status: 200,
      body: "<p>Not what was bought.</p>",
      headers: { "payment-response": btoa(JSON.stringify(settlementWith(receipt))) },
    }));
    await page.goto(site.offer(`Shown ${what}`, { maxTimeoutSeconds: SHORT_SECONDS }));
    await paywallButton(page).click();
    await expectArticleOpen(page);
  }
  for (const what of Object.keys(shown)) await expectState(`Shown ${what}`, "failed");
  expect(await standing()).toEqual(before);
  await page.reload();
  await expect(paywallButton(page)).toHaveText("Read on for 5¢");
  await expect(page.locator("tuppence-paywall")).toHaveAttribute("state", "locked");
});

test("no receipt but the payment's own is taken for it, whoever answers in the provider's place, and the coins come back", async () => {
  const lies = [altered(receiptOfAnother), receiptOfAnother, receiptForAnother].map(answerWith);
  site.conduct(() => REFUSAL);
  const title = "Answered for, and not settled";
  await page.goto(site.offer(title, { maxTimeoutSeconds: SHORT_SECONDS }));
  await paywallButton(page).click();
  await Promise.all(lies.map(({ met }) => met));
  await expectState(title, "failed");
  expect(await standing()).toEqual(before);
});

test("receipts that are not the payment's own do not keep its own from counting", async () => {
  const settled = Promise.withResolvers<string>();
  site.conduct(async (taken) => {
    const answer = await settle(provider, taken);
    if (answer.success) settled.resolve(answer.extensions.tuppence.receipt);
    return REFUSAL;
  });
  const title = "Answered for, and settled";
  await page.goto(site.offer(title));
  // Until the test has the receipt that it alters, the wallet hears nothing.
  const lookup = proxy.plan("/payments/", { kind: "held" });
  await paywallButton(page).click();
  await lookup.met;
  const lies = [altered(await settled.promise), receiptOfAnother, receiptForAnother].map(answerWith);
  lookup.drop();
  for (const { met } of lies) {
    // With each click the wallet is asked what became of the payment.
    await expectSiteFailed();
    await paywallButton(page).click();
    await met;
  }
  await expectState(title, "paid");
  await expectOneCharge();
  // The site lets nobody in but with the payment's own receipt.
  await page.reload();
  await expectArticleOpen(page);
  await expect(page.getByText(paidPartOf(title))).toBeVisible();
});

// From here on the wallet's clock is ahead, so that it gives up on a payment which the provider would still take.

test("a payment that the site settles after the wallet took its coins back finds them spent", async () => {
  site.conduct(() => REFUSAL);
  const title = "Taken back first";
  await page.goto(site.offer(title));
  await paywallButton(page).click();
  await expectSiteFailed();
  await turnClock(reader.extension, LATER_MS);
  await expectState(title, "failed");
  expect(await settle(provider, site.newest())).toMatchObject({ success: false, errorReason: "coin_spent" });
  expect(await standing()).toEqual(before);
});

test("a site that settles in the moment in which the wallet takes its coins back is paid once, and the wallet notices", async () => {
  site.conduct(() => REFUSAL);
  const title = "At the same moment";
  await page.goto(site.offer(title));
  await paywallButton(page).click();
  await expectSiteFailed();
  const takingBack = proxy.plan("/v1/swap", { kind: "held" });
  await turnClock(reader.extension, LATER_MS);
  await takingBack.met;
  expect(await settle(provider, site.newest())).toMatchObject({ success: true });
  takingBack.release();
  await expectState(title, "paid");
  await expectOneCharge();
  await paywallButton(page).click();
  await expectArticleOpen(page);
  await expectOneCharge();
});

/** Pays an article with a budget for the site, so that from then on a click is all; gives the receipt, which the site has. */
async function buyFor(seller: ServedSite): Promise<string> {
  const settled = Promise.withResolvers<string>();
  seller.conduct(async (taken) => {
    const answer = await settle(provider, taken);
    if (answer.success) settled.resolve(answer.extensions.tuppence.receipt);
    return seller.honestly(taken);
  });
  const opened = await reader.extension.context.newPage();
  await opened.goto(seller.offer("The first one"));
  await paywallButton(opened).click();
  await approveAndClose(await reader.extension.waitForApproval(), { allowance: "$2" });
  await expectArticleOpen(opened);
  await expect.poll(() => totalOf(reader)).toBe(reader.toppedUp - (await paidToMerchants(provider)));
  await opened.close();
  return settled.promise;
}

async function standing(): Promise<Standing> {
  const { allowances } = await readSnapshot(reader.extension);
  return {
    reader: await totalOf(reader),
    merchants: await paidToMerchants(provider),
    budget: allowances.find(({ origin }) => origin === site.origin)?.left,
  };
}

async function expectOneCharge(): Promise<void> {
  await expect.poll(standing).toEqual({
    reader: before.reader - PRICE,
    merchants: before.merchants + PRICE,
    budget: String(BigInt(before.budget ?? "0") - PRICE),
  });
}

async function expectSiteFailed(): Promise<void> {
  await expect(page.locator("tuppence-paywall").getByRole("status")).toHaveText(tellReader("site_failed"));
}

async function expectState(title: string, state: string): Promise<void> {
  await expect.poll(async () => (await paymentOf(title)).state).toBe(state);
}

/** The newest of this title. */
async function paymentOf(title: string) {
  const found = (await readSnapshot(reader.extension)).payments.find((payment) => payment.title === title);
  if (!found) throw new Error(`there is no payment for "${title}"`);
  return found;
}

/** The next answer about a payment comes from somebody else, with this receipt. */
function answerWith(receipt: string) {
  const body = JSON.stringify(settlementWith(receipt));
  return proxy.plan("/payments/", { kind: "answer replaced", status: 200, type: "application/json", body });
}

/** What a facilitator answers for a payment that went through. */
function settlementWith(receipt: string): object {
  const extensions = { tuppence: { receipt } };
  return {
    success: true,
    transaction: "0".repeat(32),
    network: "tuppence:usd",
    payer: "nobody",
    extensions,
  };
}

/** The same signature over a larger amount. */
function altered(receipt: string): string {
  const [header = "", claims = "", signature = ""] = receipt.split(".");
  const text = Buffer.from(claims, "base64url").toString().replace('"50000"', '"90000"');
  return [header, Buffer.from(text).toString("base64url"), signature].join(".");
}
