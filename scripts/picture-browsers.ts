/** The two browsers that pictures are taken in, as far as pictures need them to be alike. */
import { type Page as ChromiumPage, chromium } from "@playwright/test";
import puppeteer, { type Page as FirefoxPage } from "puppeteer-core";
import type { Step } from "../extension/ui/fixtures/pictures.ts";
import { requireBrowser } from "./browsers.ts";

export type Theme = "light" | "dark";

export interface Look {
  readonly theme: Theme;
  readonly language: string;
}

export interface PictureBrowser {
  open(address: string, viewport: Pixels): Promise<PicturePage>;
  close(): Promise<void>;
}

export interface Pixels {
  readonly width: number;
  readonly height: number;
}

export interface PicturePage {
  /** Errors that the page wrote or threw, so far. */
  readonly errors: readonly string[];
  waitFor(selector: string): Promise<void>;
  act(step: Step): Promise<void>;
  /** Runs what a string of JavaScript says, or awaits, and gives its value. */
  evaluate(script: string): Promise<unknown>;
  /** The whole page, or its first pixels. */
  screenshot(file: string, clip?: Pixels): Promise<void>;
  close(): Promise<void>;
}

/** Two pixels for one, as on the screens that most readers have. */
const SCALE = 2;
const WAIT_MS = 30_000;
/** The moment of all pictures, so that the times in them do not change from run to run. */
const AT_ONE_MOMENT = `Date.now = () => ${Date.parse("2026-11-23T14:32:00Z")};`;

export async function openChromium({ theme, language }: Look): Promise<PictureBrowser> {
  const browser = await chromium.launch({
    executablePath: requireBrowser("chromium"),
    args: ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"],
  });
  return {
    async open(address, viewport) {
      const context = await browser.newContext({
        viewport,
        deviceScaleFactor: SCALE,
        colorScheme: theme,
        reducedMotion: "reduce",
        locale: language,
        timezoneId: "UTC",
      });
      await context.addInitScript(AT_ONE_MOMENT);
      const page = await context.newPage();
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      await page.goto(address);
      return { errors, ...actionsOf(page), close: () => context.close() };
    },
    close: () => browser.close(),
  };
}

function actionsOf(page: ChromiumPage): Omit<PicturePage, "errors" | "close"> {
  return {
    waitFor: (selector) => page.locator(selector).first().waitFor({ state: "attached", timeout: WAIT_MS }),
    act: (step) =>
      act(step, {
        click: (selector) => page.locator(selector).first().click({ timeout: WAIT_MS }),
        type: (text, into) => page.locator(into).fill(text, { timeout: WAIT_MS }),
        putAway: () => page.mouse.move(0, 0),
        tab: () => page.keyboard.press("Tab"),
        evaluate: (script) => page.evaluate(script),
      }),
    evaluate: (script) => page.evaluate(script),
    screenshot: async (path, clip) => {
      await page.screenshot(
        clip === undefined ? { path, fullPage: true } : { path, clip: { x: 0, y: 0, ...clip } },
      );
    },
  };
}

/** What Firefox can be told of a page's looks is told to the whole browser. */
export async function openFirefox({ theme, language }: Look): Promise<PictureBrowser> {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: requireBrowser("firefox"),
    headless: true,
    env: { ...process.env, TZ: "UTC" },
    extraPrefsFirefox: {
      "layout.css.prefers-color-scheme.content-override": theme === "dark" ? 0 : 1,
      "layout.css.devPixelsPerPx": String(SCALE),
      "ui.prefersReducedMotion": 1,
      "intl.accept_languages": language,
    },
  });
  return {
    async open(address, viewport) {
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(error instanceof Error ? error.message : String(error)));
      page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      await page.setViewport(viewport);
      await page.evaluateOnNewDocument(AT_ONE_MOMENT);
      await page.goto(address);
      return { errors, ...actionsOfFirefox(page), close: () => page.close() };
    },
    close: () => browser.close(),
  };
}

function actionsOfFirefox(page: FirefoxPage): Omit<PicturePage, "errors" | "close"> {
  const locator = (selector: string) => page.locator(selector).setTimeout(WAIT_MS);
  return {
    waitFor: async (selector) => void (await page.waitForSelector(selector, { timeout: WAIT_MS })),
    act: (step) =>
      act(step, {
        click: (selector) => locator(selector).click(),
        type: (text, into) => locator(into).fill(text),
        putAway: () => page.mouse.move(0, 0),
        tab: () => page.keyboard.press("Tab"),
        evaluate: (script) => page.evaluate(script),
      }),
    evaluate: (script) => page.evaluate(script),
    screenshot: async (path, clip) => {
      const file = path as `${string}.png`;
      await page.screenshot(
        clip === undefined ? { path: file, fullPage: true } : { path: file, clip: { x: 0, y: 0, ...clip } },
      );
    },
  };
}

interface Hands {
  /** The pointer, to where nothing is. */
  putAway(): Promise<void>;
  click(selector: string): Promise<void>;
  type(text: string, into: string): Promise<void>;
  tab(): Promise<void>;
  evaluate(script: string): Promise<unknown>;
}

async function act(step: Step, hands: Hands): Promise<void> {
  if ("click" in step) {
    await hands.click(step.click);
    // What comes to lie under the pointer would look as if the reader had chosen it.
    return hands.putAway();
  }
  if ("type" in step) return hands.type(step.type, step.into);
  if ("scene" in step) {
    const event = `new CustomEvent("scene", { detail: ${JSON.stringify(step.scene)} })`;
    await hands.evaluate(`void window.dispatchEvent(${event})`);
  } else if ("scrollToEnd" in step) {
    const box = `document.querySelector(${JSON.stringify(step.scrollToEnd)})`;
    await hands.evaluate(`void ${box}.scrollTo(0, ${box}.scrollHeight)`);
  } else for (let tab = 0; tab < step.tabs; tab += 1) await hands.tab();
}
