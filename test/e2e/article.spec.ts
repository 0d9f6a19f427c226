/** An article, from the button to the last word: what the window says, what is paid, what is kept back until then. */
import type { Page } from "@playwright/test";
import { paidPart, readStories } from "../../demo/stories.ts";
import { tellReader } from "../../shared/errors.ts";
import { formatBalance, micros } from "../../shared/money.ts";
import {
  expectBooksAddUp,
  paidToMerchants,
  type StockedReader,
  stockReader,
  totalOf,
} from "../support/books.ts";
import { expect, test } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { movedIn } from "../support/moved.ts";
import { approveAndClose, expectArticleOpen, paywallButton, readSnapshot } from "../support/reader.ts";
import { NEWSPAPER_NAME, startWorld, type World } from "../support/world.ts";

const PRICE = 50_000n;
const SHORTEST_TELLING_WORDS = 8;

let world: World;
let reader: StockedReader;
let site: MerchantSite;
let page: Page;

test.beforeAll(async () => {
  world = await startWorld();
  [reader, site] = await Promise.all([
    stockReader(world.provider),
    startMerchantSite(world.provider, { id: "harbour", name: "The Harbour Review" }),
  ]);
});
test.beforeEach(async () => {
  page = await reader.extension.context.newPage();
});
test.afterEach(() => page.close());
test.afterAll(async () => {
  await expectBooksAddUp(world.provider, [reader]);
  await reader.extension.close();
  await site.close();
  await world.close();
});

test("the window does not repeat the page's own words about who asks, and its sums are what is then paid", async () => {
  const before = await totalOf(reader);
  await site.publishArticle("/claims.html", {
    title: "The Bank of England, verified",
    paid: "<p>The harbour is silted up.</p>",
    price: "5¢",
  });
  await page.goto(site.addressOf("/claims.html"));
  await expect(paywallButton(page)).toHaveText("Read on for 5¢");
  await paywallButton(page).click();

  const question = await reader.extension.waitForApproval();
  await expect(question.getByRole("heading")).toHaveText("Payment to The Harbour Review");
  await expect(question.locator(".merchant-site")).toHaveText(`${new URL(site.origin).host}verified`);
  await expect(question.locator(".bill-title")).toHaveText("The Bank of England, verified");
  await expect(question.locator(".bill-amount")).toHaveText("5¢");
  const after = formatBalance(micros(before - PRICE));
  await expect(factOf(question, "Balance after")).toHaveText(after);
  await expect(factOf(question, "Money back")).toHaveText(/^within /);
  expect(await movedIn(question), "under the reader's pointer").toEqual([]);
  expect(await totalOf(reader), "asking costs nothing").toBe(before);
  expect(await page.content()).not.toContain("silted");

  await approveAndClose(question);
  await expectArticleOpen(page);
  await expect(page.getByText("The harbour is silted up.")).toBeVisible();
  expect(await totalOf(reader)).toBe(before - PRICE);
  const popup = await reader.extension.openPopup();
  await expect(popup.locator("#balance")).toHaveText(after);
  await expect(popup.getByRole("listitem").filter({ hasText: "The Harbour Review" })).toContainText("5¢");
  await popup.close();
});

test("no paid sentence of the newspaper stands in anything that it serves to who has not paid", async () => {
  const stories = await readStories();
  expect(stories.length).toBeGreaterThanOrEqual(4);
  for (const story of stories) {
    const address = `${world.newspaper.origin}/articles/${story.slug}.html`;
    const response = await fetch(address);
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    const served = [
      await response.text(),
      await (await fetch(`${world.newspaper.origin}/api/articles/${story.slug}`)).text(),
    ];
    const sentences = sentencesOf(paidPart(story));
    expect(sentences.length).toBeGreaterThan(5);
    const leaked = sentences.filter((sentence) => served.some((text) => plainText(text).includes(sentence)));
    expect(leaked, story.slug).toEqual([]);
    // The same search finds what is free, so that it is not blind.
    const [free = ""] = sentencesOf(story.body);
    expect(plainText(served[0] ?? "")).toContain(free);
  }
});

test("a demo article that was paid for is there to the last paragraph, under the paper's strict policy", async () => {
  const [story] = (await readStories()).filter(({ served }) => !served);
  if (!story) throw new Error("the paper has no sealed story");
  const violations = await collectViolations(page);
  await page.goto(`${world.newspaper.origin}/articles/${story.slug}.html`);
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await expect(question.getByRole("heading")).toHaveText(`Payment to ${NEWSPAPER_NAME}`);
  await approveAndClose(question);
  await expectArticleOpen(page);
  const shown = plainText(await page.locator("tuppence-paywall").innerHTML());
  for (const sentence of sentencesOf(paidPart(story))) expect(shown).toContain(sentence);
  expect(violations()).toEqual([]);
});

test("a page whose policy allows nothing but its own files still takes a payment, shows its style, and reports nothing", async () => {
  await site.publishArticle("/strict.html", {
    title: "Strict",
    paid: "<p>Under a strict policy.</p>",
    price: "5¢",
  });
  const html = await (await fetch(site.addressOf("/strict.html"))).text();
  site.publish("/strict.html", html, {
    "content-security-policy":
      "default-src 'none'; script-src 'self'; style-src 'none'; connect-src 'none'; img-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts allow-same-origin",
  });
  const violations = await collectViolations(page);
  await page.goto(site.addressOf("/strict.html"));
  const background = await paywallButton(page).evaluate((button) => getComputedStyle(button).backgroundColor);
  expect(background, "the button is styled").not.toBe("rgb(239, 239, 239)");
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  await expect(page.getByText("Under a strict policy.")).toBeVisible();
  expect(violations()).toEqual([]);
});

test("a page that requires Trusted Types can be paid, and one that lets nothing be opened gets no money", async () => {
  const before = await totalOf(reader);
  await site.publishArticle("/types.html", { title: "Types", paid: "<p>Trusted words.</p>", price: "5¢" });
  const html = await (await fetch(site.addressOf("/types.html"))).text();
  const publish = (names: string) =>
    site.publish("/types.html", html, {
      "content-security-policy": `default-src 'none'; script-src 'self'; require-trusted-types-for 'script'; trusted-types ${names}`,
    });
  publish("'none'");
  await page.goto(site.addressOf("/types.html"));
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expect(page.locator("tuppence-paywall").getByRole("status")).toHaveText(
    tellReader("content_unreadable"),
  );
  await expect.poll(async () => (await readSnapshot(reader.extension)).payments[0]?.state).toBe("refunded");
  expect(await totalOf(reader)).toBe(before);

  publish("tuppence");
  await page.goto(site.addressOf("/types.html"));
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  await expect(page.getByText("Trusted words.")).toBeVisible();
  expect(await totalOf(reader)).toBe(before - PRICE);
});

test("a reader without a mouse can pay: Tab and Enter on the page, Enter in the window", async () => {
  const before = await totalOf(reader);
  await site.publishArticle("/keys.html", {
    title: "By keyboard",
    paid: "<p>Reached by keys alone.</p>",
    price: "5¢",
  });
  await page.goto(site.addressOf("/keys.html"));
  await page.keyboard.press("Tab");
  await expect(paywallButton(page)).toBeFocused();
  await page.keyboard.press("Enter");

  const question = await reader.extension.waitForApproval();
  // Not on the button: a key that was meant for the page would press it.
  await expect(question.getByRole("heading")).toBeFocused();
  await expect(question.getByRole("button", { name: "Pay 5¢" })).toBeEnabled();
  await question.keyboard.press("Enter");
  await expectArticleOpen(page);
  expect(await totalOf(reader)).toBe(before - PRICE);
  // Reading goes on where the button was.
  await expect(page.getByText("Reached by keys alone.")).toBeFocused();
});

test("Escape in the window is a no: nothing is charged, and a click asks again", async () => {
  const before = await totalOf(reader);
  const paid = await paidToMerchants(world.provider);
  await site.publishArticle("/no.html", { title: "No", paid: "<p>Yes after all.</p>", price: "5¢" });
  await page.goto(site.addressOf("/no.html"));
  await paywallButton(page).click();
  const question = await reader.extension.waitForApproval();
  await expect(question.getByRole("heading")).toBeFocused();
  const closed = question.waitForEvent("close");
  // The key's way up may find the window gone.
  await Promise.all([closed, question.keyboard.press("Escape").catch(() => undefined)]);
  await expect(page.locator("tuppence-paywall").getByRole("status")).toHaveText(tellReader("declined"));
  await expect(paywallButton(page)).toHaveText("Read on for 5¢ – try again");
  expect(await totalOf(reader)).toBe(before);
  expect(await paidToMerchants(world.provider)).toBe(paid);

  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  expect(await totalOf(reader)).toBe(before - PRICE);
});

test("an article behind a back end is paid once, and opens again without a question", async () => {
  const story = (await readStories()).find(({ served }) => served);
  if (!story) throw new Error("the paper has no story behind its back end");
  const address = `${world.newspaper.origin}/articles/${story.slug}.html`;
  const [sentence = ""] = sentencesOf(paidPart(story));
  const before = await totalOf(reader);
  const paid = await paidToMerchants(world.provider);
  await page.goto(address);
  await expect(paywallButton(page)).toHaveText(`Read on for ${story.price}`);
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  expect(plainText(await page.locator("tuppence-paywall").innerHTML())).toContain(sentence);
  await expect.poll(() => totalOf(reader)).toBe(before - PRICE);

  await reader.extension.killWorker();
  for (const _ of ["after the worker's end", "and once more"]) {
    const later = await reader.extension.context.newPage();
    await later.goto(address);
    await expectArticleOpen(later);
    expect(plainText(await later.locator("tuppence-paywall").innerHTML())).toContain(sentence);
    await later.close();
  }
  expect(await totalOf(reader)).toBe(before - PRICE);
  expect(await paidToMerchants(world.provider)).toBe(paid + PRICE);
  const { payments } = await readSnapshot(reader.extension);
  expect(payments.filter(({ title }) => title === story.title).map(({ state }) => state)).toEqual(["paid"]);
});

function factOf(question: Page, name: string) {
  return question.locator(".facts > div", { hasText: name }).getByRole("definition");
}

/** Sentences long enough that they stand nowhere else by chance. */
function sentencesOf(html: string): string[] {
  return html
    .split(/<\/?(?:p|h2|figure|table|tr|td|th|blockquote|figcaption|li)[^>]*>/)
    .map(plainText)
    .flatMap((text) => text.split(/(?<=[.?!]) /))
    .filter((sentence) => sentence.split(" ").length >= SHORTEST_TELLING_WORDS);
}

function plainText(html: string): string {
  return html
    .replaceAll(/<!--.*?-->/gs, " ")
    .replaceAll(/<[^>]*>/g, "")
    .replaceAll("&amp;", "&")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** What the page's policy refused, from before its first byte. To be called before the page is opened. */
async function collectViolations(watched: Page): Promise<() => string[]> {
  const seen: string[] = [];
  await watched.exposeFunction("tellViolation", (violation: string) => seen.push(violation));
  await watched.addInitScript(() =>
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) =>
      Reflect.get(globalThis, "tellViolation")(`${violatedDirective} ${blockedURI} ${sample}`),
    ),
  );
  return () => seen;
}
