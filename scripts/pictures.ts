/**
 * `npm run pictures`: a picture of every screen of the extension in every state, light and dark, in `out/pictures/`,
 * with a contact sheet, `index.html`. The pages are the product's own under the product's Content-Security-Policy;
 * only the browser behind them is a stand-in (`extension/ui/fixtures/platform.ts`). Each screen is checked with axe as
 * well. Exits with 1 if axe finds something, if a page overflows sideways or writes an error. Words as arguments
 * take only the pictures whose names contain one of them.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "@playwright/test";
import { build, type Plugin, preview } from "vite";
import { APPROVAL_ID } from "../extension/ui/fixtures/snapshots.ts";
import manifest from "../manifest.json" with { type: "json" };
import { APPROVE_PAGE, OPTIONS_PAGE, POPUP_PAGE, WELCOME_PAGE } from "../shared/protocol/ui.ts";
import { requireBrowser } from "./browsers.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = fileURLToPath(new URL("../out/pictures/", import.meta.url));
const SITE = fileURLToPath(new URL("../out/pictures-site/", import.meta.url));
const PLATFORM = fileURLToPath(new URL("../extension/platform.ts", import.meta.url));
const STAND_IN = fileURLToPath(new URL("../extension/ui/fixtures/platform.ts", import.meta.url));
const SCHEMES = ["light", "dark"] as const;
/** The moment of all pictures, so that the times in them do not change from run to run. */
const NOW = new Date("2026-11-23T14:32:00Z");
const POPUP_HEIGHT_PIXELS = 560;
/** Pictures in which the button stays disabled: something else has to be done first. */
const NOTHING_TO_APPROVE = /problem|paused|beyond/i;

type Scheme = (typeof SCHEMES)[number];
type PageName = "popup" | "approve" | "welcome" | "options";
interface Picture {
  readonly name: string;
  readonly page: PageName;
  readonly scene: string;
  /** Of the options page: the place in it. */
  readonly place?: string;
  readonly act?: (page: Page) => Promise<void>;
}

const PAGES: Readonly<
  Record<PageName, { readonly path: string; readonly width: number; readonly height: number }>
> = {
  popup: { path: POPUP_PAGE, width: 360, height: POPUP_HEIGHT_PIXELS },
  approve: { path: APPROVE_PAGE, width: 420, height: 560 },
  welcome: { path: WELCOME_PAGE, width: 1_000, height: 900 },
  options: { path: OPTIONS_PAGE, width: 1_100, height: 900 },
};

const press = (name: string | RegExp) => (page: Page) => page.getByRole("button", { name }).click();
const say = (scene: string) => (page: Page) =>
  page.evaluate((detail) => void window.dispatchEvent(new CustomEvent("scene", { detail })), scene);
const inOrder =
  (...acts: readonly ((page: Page) => Promise<void>)[]) =>
  async (page: Page) => {
    for (const act of acts) await act(page);
  };

const PICTURES: readonly Picture[] = [
  ...popup(
    "none",
    "silent",
    "empty",
    "ready",
    "tipSite",
    "topUpOpen",
    "topUpDeclined",
    "topUpAbandoned",
    "inFlight",
    "unreachable",
    "realMoney",
    "frozen",
    "paused",
    "limited",
    "restoring",
    "waiting",
    "everything",
  ),
  {
    name: "popup-ready-end",
    page: "popup",
    scene: "ready",
    act: (page) => page.locator("#root").evaluate((root) => root.scrollTo(0, root.scrollHeight)),
  },
  {
    name: "popup-everything-end",
    page: "popup",
    scene: "everything",
    act: (page) => page.locator("#root").evaluate((root) => root.scrollTo(0, root.scrollHeight)),
  },
  { name: "popup-top-up", page: "popup", scene: "ready", act: press("Top up") },
  {
    name: "popup-top-up-stuck",
    page: "popup",
    scene: "topUpStuck",
    act: inOrder(press("Top up"), press("Top up $5")),
  },
  {
    name: "popup-top-up-refused",
    page: "popup",
    scene: "topUpRefused",
    act: inOrder(press("Top up"), press("Top up $5")),
  },
  { name: "popup-top-up-arrived", page: "popup", scene: "topUpOpen", act: say("topUpArrived") },
  { name: "popup-refund-stuck", page: "popup", scene: "refundStuck", act: press(/^Money back for/) },
  ...approve(
    "ask",
    "askLong",
    "askDay",
    "askMonth",
    "askPaused",
    "beyond",
    "tip",
    "tipBeyond",
    "short",
    "shortWaiting",
    "shortFrozen",
    "paying",
    "paid",
    "failed",
    "gone",
    "silent",
  ),
  {
    name: "approve-ask-allowance",
    page: "approve",
    scene: "ask",
    act: (page) => page.getByRole("checkbox").check(),
  },
  {
    name: "approve-ask-focus",
    page: "approve",
    scene: "ask",
    act: async (page) => {
      for (let tabs = 0; tabs < 4; tabs += 1) await page.keyboard.press("Tab");
    },
  },
  { name: "approve-ask-refused", page: "approve", scene: "refused", act: press("Pay 5¢") },
  {
    name: "approve-tip-own",
    page: "approve",
    scene: "tip",
    act: (page) => page.getByLabel("Or your own amount").fill("0.75"),
  },
  {
    name: "approve-tip-problem",
    page: "approve",
    scene: "tip",
    act: (page) => page.getByLabel("Or your own amount").fill("40"),
  },
  { name: "approve-short-then-ask", page: "approve", scene: "short", act: say("ask") },
  { name: "welcome-create", page: "welcome", scene: "none" },
  {
    name: "welcome-create-advanced",
    page: "welcome",
    scene: "none",
    act: inOrder(
      (page) => page.getByText("Advanced").click(),
      (page) => page.getByLabel("Provider").fill("provider"),
    ),
  },
  { name: "welcome-restore", page: "welcome", scene: "none", act: press("I have a recovery phrase") },
  {
    name: "welcome-restore-refused",
    page: "welcome",
    scene: "phraseRefused",
    act: inOrder(
      press("I have a recovery phrase"),
      (page) =>
        page
          .getByLabel("Your recovery phrase")
          .fill("one two three four five six seven eight nine ten eleven twelve"),
      press("Restore my wallet"),
    ),
  },
  { name: "welcome-phrase", page: "welcome", scene: "empty" },
  {
    name: "welcome-phrase-shown",
    page: "welcome",
    scene: "empty",
    act: inOrder(press("Show the words"), (page) => page.getByRole("checkbox").check()),
  },
  { name: "welcome-ready", page: "welcome", scene: "justReady" },
  { name: "welcome-ready-restoring", page: "welcome", scene: "restoring" },
  { name: "welcome-ready-frozen", page: "welcome", scene: "frozen" },
  { name: "welcome-ready-waiting", page: "welcome", scene: "topUpOpen" },
  { name: "welcome-ready-later", page: "welcome", scene: "empty", act: press("Do this later") },
  {
    name: "welcome-ready-arrived",
    page: "welcome",
    scene: "justReady",
    act: inOrder(press("Top up $5"), say("topUpArrived")),
  },
  { name: "options-spending", page: "options", scene: "limited" },
  { name: "options-spending-year", page: "options", scene: "limited", place: "#/spending?period=2026" },
  {
    name: "options-spending-day",
    page: "options",
    scene: "limited",
    place: "#/spending?period=2026-11&day=2026-11-22&site=https%3A%2F%2Fgazette.example",
  },
  {
    name: "options-spending-bar",
    page: "options",
    scene: "limited",
    act: (page) => page.locator(".chart a").last().focus(),
  },
  { name: "options-spending-search", page: "options", scene: "limited", place: "#/spending?search=fog" },
  { name: "options-spending-none", page: "options", scene: "nothingYet" },
  { name: "options-spending-looking", page: "options", scene: "looking" },
  ...[0, 3, 8].map((index) => ({
    name: `options-payment-${["paid", "", "", "unopened", "", "", "", "", "failed"][index]}`,
    page: "options" as const,
    scene: "ready",
    place: `#/spending/payment/${index.toString(16).padStart(32, "0")}`,
  })),
  {
    name: "options-payment-forget",
    page: "options",
    scene: "ready",
    place: `#/spending/payment/${"0".repeat(32)}`,
    act: press("Forget this site"),
  },
  { name: "options-payment-unknown", page: "options", scene: "noPayment", place: "#/spending/payment/1" },
  { name: "options-budgets", page: "options", scene: "limited", place: "#/budgets" },
  { name: "options-budgets-none", page: "options", scene: "nothingYet", place: "#/budgets" },
  {
    name: "options-budgets-new",
    page: "options",
    scene: "limited",
    place: "#/budgets?site=https%3A%2F%2Falmanac.example",
    act: (page) => page.getByRole("button", { name: "Save" }).nth(1).click(),
  },
  { name: "options-none", page: "options", scene: "none" },
  { name: "options-silent", page: "options", scene: "silent" },
  { name: "welcome-silent", page: "welcome", scene: "silent" },
];

await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<void> {
  const pictures = PICTURES.filter(
    ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
  );
  await buildPages();
  if (words.length === 0) await rm(OUT, { recursive: true, force: true });
  await mkdir(OUT, { recursive: true });
  const headers = { "Content-Security-Policy": manifest.content_security_policy.extension_pages };
  const server = await preview({
    root: ROOT,
    configFile: false,
    build: { outDir: SITE },
    preview: { host: "127.0.0.1", port: 0, headers },
    logLevel: "error",
  });
  const browser = await chromium.launch({
    executablePath: requireBrowser("chromium"),
    args: ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"],
  });
  try {
    const address = server.resolvedUrls?.local[0];
    if (address === undefined) throw new Error("the pages are not served");
    const axe = await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
    const faults: string[] = [];
    for (const picture of pictures) {
      faults.push(
        ...(await Promise.all(SCHEMES.map((scheme) => take(picture, scheme, browser, address, axe)))).flat(),
      );
    }
    await writeFile(`${OUT}index.html`, contactSheet(PICTURES));
    for (const fault of faults) console.error(fault);
    console.log(`${pictures.length * SCHEMES.length} pictures in out/pictures, ${faults.length} faults`);
    process.exitCode = faults.length === 0 ? 0 : 1;
  } finally {
    await browser.close();
    await server.close();
  }
}

async function buildPages(): Promise<void> {
  const standIn: Plugin = {
    name: "stand-in-platform",
    enforce: "pre",
    async resolveId(source, importer) {
      const resolved = await this.resolve(source, importer, { skipSelf: true });
      return resolved?.id === PLATFORM ? STAND_IN : resolved;
    },
  };
  await build({
    root: ROOT,
    configFile: false,
    logLevel: "error",
    publicDir: false,
    plugins: [standIn],
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      outDir: SITE,
      emptyOutDir: true,
      target: "es2022",
      modulePreload: false,
      rollupOptions: {
        input: [POPUP_PAGE, APPROVE_PAGE, WELCOME_PAGE, OPTIONS_PAGE].map((path) => `${ROOT}${path}`),
      },
    },
  });
}

/** Takes one picture; answers what is wrong with the page. */
async function take(
  picture: Picture,
  scheme: Scheme,
  browser: Browser,
  address: string,
  axe: string,
): Promise<string[]> {
  const { path, width, height } = PAGES[picture.page];
  const label = `${picture.name} (${scheme})`;
  const faults: string[] = [];
  const context = await browser.newContext({
    viewport: { width, height },
    deviceScaleFactor: 2,
    colorScheme: scheme,
    reducedMotion: "reduce",
    locale: "en-US",
    timezoneId: "UTC",
  });
  try {
    const page = await context.newPage();
    page.on("pageerror", (error) => faults.push(`${label}: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error") faults.push(`${label}: ${message.text()}`);
    });
    await page.clock.setFixedTime(NOW);
    await page.goto(`${address}${path}?scene=${picture.scene}&id=${APPROVAL_ID}${picture.place ?? ""}`);
    await page
      .locator(picture.scene === "silent" ? "h1" : "#root > *")
      .first()
      .waitFor();
    await picture.act?.(page);
    await page.evaluate(() =>
      Promise.all(
        document
          .getAnimations()
          .map((animation) =>
            animation.effect?.getComputedTiming().endTime === Number.POSITIVE_INFINITY
              ? null
              : animation.finished,
          ),
      ),
    );
    await settle(picture, page);
    await page.screenshot({
      path: `${OUT}${picture.name}.${scheme}.png`,
      ...(await frame(picture.page, page)),
    });
    const overflow = await page.evaluate(() =>
      Math.max(
        ...[document.documentElement, ...document.querySelectorAll("#root, .content")].map(
          (box) => box.scrollWidth - box.clientWidth,
        ),
      ),
    );
    if (overflow > 0) faults.push(`${label}: overflows sideways by ${overflow} pixels`);
    faults.push(...(await accessibilityFaults(page, axe)).map((fault) => `${label}: ${fault}`));
  } finally {
    await context.close();
  }
  return faults;
}

/** The question's buttons are enabled a moment after it appears (`approve/guard.ts`). */
async function settle(picture: Picture, page: Page): Promise<void> {
  if (picture.page !== "approve") return;
  const pay = page.locator('button[type="submit"]');
  if ((await pay.count()) > 0 && !NOTHING_TO_APPROVE.test(picture.name))
    await page.locator('button[type="submit"]:enabled').waitFor();
}

async function frame(name: PageName, page: Page) {
  if (name === "welcome" || name === "options") return { fullPage: true };
  if (name === "approve") return {};
  const { width, height } = PAGES.popup;
  const content = await page.evaluate(() => document.body.getBoundingClientRect().height);
  return { clip: { x: 0, y: 0, width, height: Math.min(height, Math.ceil(content)) } };
}

async function accessibilityFaults(page: Page, axe: string): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof import("axe-core") }).axe.run();
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(
        (node) =>
          `${id}: ${node.target.join(" ")}: ${node.any[0]?.message ?? node.all[0]?.message ?? node.none[0]?.message ?? ""}`,
      ),
    );
  });
}

function contactSheet(pictures: readonly Picture[]): string {
  const figures = pictures.map(
    ({ name, page }) =>
      `<figure class="${page}"><div>${SCHEMES.map((scheme) => `<img src="${name}.${scheme}.png" alt="${name}, ${scheme}" loading="lazy">`).join("")}</div><figcaption>${name}</figcaption></figure>`,
  );
  return `<!doctype html>
<meta charset="utf-8">
<title>Tuppence: every screen</title>
<style>
  body { margin: 32px; background: #8a8f8c; font: 14px sans-serif; display: flex; flex-wrap: wrap; gap: 32px; align-items: flex-start }
  figure { margin: 0 } figure div { display: flex; gap: 8px; align-items: flex-start }
  img { width: 360px; border-radius: 8px } .welcome img { width: 600px } figcaption { margin-top: 8px; color: #fff }
</style>
${figures.join("\n")}
`;
}

function popup(...scenes: readonly string[]): Picture[] {
  return scenes.map((scene) => ({ name: `popup-${scene}`, page: "popup", scene }));
}

function approve(...scenes: readonly string[]): Picture[] {
  return scenes.map((scene) => ({ name: `approve-${scene}`, page: "approve", scene }));
}
