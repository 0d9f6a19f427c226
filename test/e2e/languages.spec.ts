/** The wallet in other languages, in the browser's own `_locales`, on every page. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Page } from "@playwright/test";
import { violations } from "../support/accessibility.ts";
import { expect, launchExtension, test } from "../support/extension.ts";
import { sayings, startWalkedWorld, type WalkedWorld, walkThrough } from "../support/languages.ts";
import { firstOf } from "../support/thorough.ts";

const DIST = path.resolve(import.meta.dirname, "../../dist/chrome");
const NARROWEST_PIXELS = 360;
/** Months, days, times and lengths of time, which the browser writes, and the name in a title. */
const OF_THE_BROWSER = [
  /\d:\d{2}\s[AP]M$/,
  /: \p{L}+ \d{4}$/u,
  /: \p{L}+, \p{L}+ \d{1,2}$/u,
  /: · Tuppence$/,
  /: 5 minutes15 minutes1 hour8 hours$/,
];

let world: WalkedWorld;
test.beforeAll(async () => {
  world = await startWalkedWorld();
});
test.afterAll(() => world.close());

test("no word that a reader sees or hears is out of a translator's reach", async () => {
  const folder = markedCopy();
  try {
    const extension = await launchExtension({ extensionFolder: folder });
    const untranslated: string[] = [];
    const states: string[] = [];
    await walkThrough(extension, world, sayings(folder, "en"), async (page, state) => {
      states.push(state);
      untranslated.push(...(await wordsOutsideMarks(page)).map((words) => `${state}: ${words}`));
    });
    await extension.close();
    expect(untranslated.filter((words) => !OF_THE_BROWSER.some((form) => form.test(words)))).toEqual([]);
    expect(states.length).toBeGreaterThan(30);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/**
 * Amounts as that language writes them: one of the empty wallet and one of the tip's choices, without marks and wide spaces.
 * Numbers and dates are as in its region; the browser's own Arabic is of no region, and has Latin digits.
 */
const LANGUAGES = [
  { region: "ar-EG", direction: "rtl", nothing: "٠٫٠٠ US$", price: "٠٫٠٥ US$" },
  { region: "de", direction: "ltr", nothing: "0,00 $", price: "0,05 $" },
  { region: "es", direction: "ltr", nothing: "0,00 US$", price: "0,05 US$" },
  { region: "fr", direction: "ltr", nothing: "0,00 $US", price: "0,05 $US" },
  { region: "ja", direction: "ltr", nothing: "$0.00", price: "$0.05" },
  { region: "pt", direction: "ltr", nothing: "US$ 0,00", price: "US$ 0,05" },
] as const;

for (const { region, direction, nothing, price } of firstOf(LANGUAGES, 1)) {
  const [language = ""] = region.split("-");
  test(`a reader of ${language} is not shut out: words, amounts, dates, direction, room and axe`, async () => {
    const say = sayings(DIST, language);
    const extension = await launchExtension({ language });
    await extension.context.addInitScript((spoken) => {
      if ("chrome" in globalThis && chrome.i18n) chrome.i18n.getUILanguage = () => spoken;
    }, region);
    const faults: string[] = [];
    const amounts: string[] = [];
    await walkThrough(extension, world, say, async (page, state) => {
      const { lang, dir } = await page.evaluate(() => {
        const { lang, dir } = document.documentElement;
        return { lang, dir };
      });
      faults.push(...(lang.startsWith(language) && dir === direction ? [] : [`${state}: ${lang} ${dir}`]));
      faults.push(...(await violations(page)).map((violation) => `${state}: ${violation}`));
      faults.push(...(await overflows(page)).map((place) => `${state}: ${place} is too narrow`));
      faults.push(...(await cutAtTheirBeginning(page)).map((words) => `${state}: ${words}`));
      amounts.push(...(await page.locator(".money").allInnerTexts()).map(plain));
      if (state === "options: spending") await expectNumbersOf(region, page);
    });
    expect(faults).toEqual([]);
    expect(amounts).toContain(nothing);
    expect(amounts).toContain(price);
    const isForeign = price.startsWith("$") ? /¢/ : /^\$|¢/;
    expect(amounts.filter((amount) => isForeign.test(amount))).toEqual([]);
    await extension.close();
  });
}

/** What is written from left to right, but for foreign words in sentences of ours, in a box that cuts off what is at the left. */
async function cutAtTheirBeginning(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const ISOLATE = /\u2068[^\u2066-\u2069]*\u2069/gu;
    return [...document.querySelectorAll("[data-lines]")]
      .filter((box) => getComputedStyle(box).direction === "rtl")
      .map((box) => box.textContent ?? "")
      .filter((text) => /^\P{L}*\p{Script=Latin}/u.test(text.replace(ISOLATE, "")))
      .map((text) => `"${text}" is cut at its beginning`);
  });
}

/** The month, the days under its chart and in the list, and how many payments: one, of today. */
async function expectNumbersOf(region: string, page: Page): Promise<void> {
  const now = new Date();
  const dated = (parts: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(region, parts).format(now);
  const counted = (count: number) => new Intl.NumberFormat(region).format(count);
  const day = dated({ weekday: "long", month: "long", day: "numeric" });
  await expect(page.locator(".history-day")).toHaveCount(1);
  await expect(page.locator(".chart-label").nth(2)).toBeVisible();
  const texts = (selector: string) => page.locator(selector).allTextContents();
  const [title] = await texts(".period-title");
  const [, , tenth] = await texts(".chart-label");
  const [tableDay] = await texts(".chart-table tbody th");
  const payments = (await texts(".chart-table tbody td")).at(-1);
  const [listDay] = await texts(".history-day h3");
  expect({ title, tenth, tableDay, payments, listDay }).toEqual({
    title: dated({ month: "long", year: "numeric" }),
    tenth: counted(10),
    tableDay: day,
    payments: counted(1),
    listDay: day,
  });
}

/** The extension with every English message in brackets, so that what stands outside of them is not from `_locales`. */
function markedCopy(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "tuppence-marked-"));
  cpSync(DIST, folder, { recursive: true });
  const file = path.join(folder, "_locales/en/messages.json");
  const messages: Readonly<Record<string, { readonly message: string }>> = JSON.parse(
    readFileSync(file, "utf8"),
  );
  const marked = Object.entries(messages).map(([key, { message }]) => [
    key,
    { message: key === "language" ? message : `⟦${message}⟧` },
  ]);
  writeFileSync(file, JSON.stringify(Object.fromEntries(marked)));
  return folder;
}

/** Text, names for screen readers, titles and placeholders, but for what is a page's, an amount, or a word of the phrase. */
async function wordsOutsideMarks(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const DATA = ".foreign, .money, .word-text, script, style";
    const ATTRIBUTES = ["aria-label", "aria-description", "aria-valuetext", "title", "placeholder", "alt"];
    const outside = (text: string): string[] => {
      let rest = text;
      for (let before = ""; before !== rest; ) {
        before = rest;
        rest = rest.replace(/⟦[^⟦⟧]*⟧/gu, "\n");
      }
      return rest
        .split("\n")
        .map((words) => words.trim())
        .filter((words) => /\p{L}/u.test(words));
    };
    const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let text = "";
    while (nodes.nextNode() !== null) {
      const { currentNode } = nodes;
      text += currentNode.parentElement?.closest(DATA) ? " " : currentNode.textContent;
    }
    const named = [...document.querySelectorAll("*")].filter((element) => !element.matches(DATA));
    const names = named.flatMap((element) => ATTRIBUTES.map((name) => element.getAttribute(name) ?? ""));
    return [text, document.title, ...names].flatMap(outside);
  });
}

/** What would have to be scrolled sideways in the narrowest window. */
async function overflows(page: Page): Promise<string[]> {
  const size = await page.evaluate(() => ({ width: innerWidth, height: innerHeight }));
  await page.setViewportSize({ width: NARROWEST_PIXELS, height: size.height });
  const places = await page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll("#root, .content, .button, .card, .notice")]
      .filter((box) => box.scrollWidth > box.clientWidth + 1)
      .map((box) => `${box.tagName.toLowerCase()}.${box.className}`),
  );
  await page.setViewportSize(size);
  return places;
}

function plain(text: string): string {
  return text
    .replace(/[\u200e\u200f\u061c]/g, "")
    .replace(/\s/g, " ")
    .trim();
}
