/** The wallet in other languages, in the browser's own `_locales`, on every page. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Page } from "@playwright/test";
import { violations } from "../support/accessibility.ts";
import { expect, launchExtension, test } from "../support/extension.ts";
import { sayings, walkThrough } from "../support/languages.ts";
import { startWorld, type World } from "../support/world.ts";

const DIST = path.resolve(import.meta.dirname, "../../dist/chrome");
const NARROWEST_PIXELS = 360;
/** Months and days, which the browser writes, and the name in a title. */
const OF_THE_BROWSER = [/: \p{L}+ \d{4}$/u, /: \p{L}+, \p{L}+ \d{1,2}$/u, /: · Tuppence$/];

let world: World;
test.beforeAll(async () => {
  world = await startWorld();
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
    expect(states.length).toBeGreaterThan(15);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Amounts as that language writes them: one of the empty wallet and one of the tip's choices, without marks and wide spaces. */
const LANGUAGES = [
  { language: "ar", direction: "rtl", nothing: "0.00 US$", price: "0.05 US$" },
  { language: "de", direction: "ltr", nothing: "0,00 $", price: "0,05 $" },
] as const;

for (const { language, direction, nothing, price } of LANGUAGES) {
  test(`a reader of ${language} is not shut out: words, amounts, direction, room and axe`, async () => {
    const say = sayings(DIST, language);
    const extension = await launchExtension({ language });
    const faults: string[] = [];
    const amounts: string[] = [];
    await walkThrough(extension, world, say, async (page, state) => {
      const { lang, dir } = await page.evaluate(() => {
        const { lang, dir } = document.documentElement;
        return { lang, dir };
      });
      faults.push(...(lang === language && dir === direction ? [] : [`${state}: ${lang} ${dir}`]));
      faults.push(...(await violations(page)).map((violation) => `${state}: ${violation}`));
      faults.push(...(await overflows(page)).map((place) => `${state}: ${place} is too narrow`));
      amounts.push(...(await page.locator(".money").allInnerTexts()).map(plain));
    });
    expect(faults).toEqual([]);
    expect(amounts).toContain(nothing);
    expect(amounts).toContain(price);
    expect(amounts.filter((amount) => /^\$|¢/.test(amount))).toEqual([]);
    await extension.close();
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
