/**
 * `npm run pictures`: a picture of every screen of the extension in every state (`extension/ui/fixtures/pictures.ts`), in both
 * themes, two languages and both browsers, as `out/pictures/<browser>/<language>/<theme>/<page>-<name>.png`, with a contact
 * sheet, `out/pictures/index.html`. The pages are the product's own under the product's Content-Security-Policy; only the
 * browser's API behind them is a stand-in (`extension/ui/fixtures/platform.ts`). Each screen is checked with axe as well.
 *
 * Exits with 1 if axe finds something, if a page overflows sideways or writes an error. Words take only the pictures whose
 * names contain one of them; `--browser firefox`, `--theme dark` and `--language ar,de` only those.
 */
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build, type Plugin, preview } from "vite";
import { type PageName, PICTURES, type Picture } from "../extension/ui/fixtures/pictures.ts";
import { APPROVAL_ID } from "../extension/ui/fixtures/snapshots.ts";
import manifest from "../manifest.json" with { type: "json" };
import { APPROVE_PAGE, OPTIONS_PAGE, POPUP_PAGE, WELCOME_PAGE } from "../shared/protocol/ui.ts";
import {
  type Look,
  openChromium,
  openFirefox,
  type PictureBrowser,
  type PicturePage,
  type Pixels,
  type Theme,
} from "./picture-browsers.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = fileURLToPath(new URL("../out/pictures/", import.meta.url));
const SITE = fileURLToPath(new URL("../out/pictures-site/", import.meta.url));
const PLATFORM = fileURLToPath(new URL("../extension/platform.ts", import.meta.url));
const STAND_IN = fileURLToPath(new URL("../extension/ui/fixtures/platform.ts", import.meta.url));
const LOCALES = fileURLToPath(new URL("../extension/_locales/", import.meta.url));

const BROWSERS: Readonly<Record<string, (look: Look) => Promise<PictureBrowser>>> = {
  chromium: openChromium,
  firefox: openFirefox,
};
const THEMES: readonly Theme[] = ["light", "dark"];
/** One that is written from left to right, and one from right to left. */
const LANGUAGES = ["en", "ar"];

const PAGES: Readonly<Record<PageName, Pixels & { readonly path: string }>> = {
  popup: { path: POPUP_PAGE, width: 360, height: 560 },
  approve: { path: APPROVE_PAGE, width: 420, height: 560 },
  welcome: { path: WELCOME_PAGE, width: 1_000, height: 900 },
  options: { path: OPTIONS_PAGE, width: 1_100, height: 900 },
};

interface Series extends Look {
  readonly browser: string;
}

/** When every animation that ends has ended. */
const AT_REST = `Promise.all(document.getAnimations()
  .filter((animation) => animation.effect?.getComputedTiming().endTime !== Infinity)
  .map((animation) => animation.finished)).then(() => undefined)`;
const OVERFLOW_PIXELS = `Math.max(...[document.documentElement, ...document.querySelectorAll("#root, .content")]
  .map((box) => box.scrollWidth - box.clientWidth))`;

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: { browser: { type: "string" }, theme: { type: "string" }, language: { type: "string" } },
});
await main();

async function main(): Promise<void> {
  const pictures = PICTURES.filter(
    (picture) => words.length === 0 || words.some((word) => nameOf(picture).includes(word)),
  );
  const series = chosenSeries();
  await buildPages();
  if (process.argv.length === 2) await rm(OUT, { recursive: true, force: true });
  const headers = { "Content-Security-Policy": manifest.content_security_policy.extension_pages };
  const server = await preview({
    root: ROOT,
    configFile: false,
    build: { outDir: SITE },
    preview: { host: "127.0.0.1", port: 0, headers },
    logLevel: "error",
  });
  try {
    const address = server.resolvedUrls?.local[0];
    if (address === undefined) throw new Error("the pages are not served");
    const axe = await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
    const faults: string[] = [];
    for (const one of series) faults.push(...(await takeSeries(one, pictures, address, axe)));
    await writeFile(`${OUT}index.html`, contactSheet());
    for (const fault of faults) console.error(fault);
    console.log(`${pictures.length * series.length} pictures in out/pictures, ${faults.length} faults`);
    process.exitCode = faults.length === 0 ? 0 : 1;
  } finally {
    await server.close();
  }
}

function chosenSeries(): Series[] {
  const chosen = (given: string | undefined, all: readonly string[], what: string) => {
    const names = given?.split(",") ?? all;
    for (const name of names)
      if (!all.includes(name)) throw new Error(`There is no ${what} ${name}, only ${all.join(", ")}.`);
    return names;
  };
  const translated = readdirSync(LOCALES);
  const languages = chosen(
    values.language ?? LANGUAGES.filter((language) => translated.includes(language)).join(),
    translated,
    "language",
  );
  const browsers = chosen(values.browser, Object.keys(BROWSERS), "browser");
  const themes = THEMES.filter((theme) => chosen(values.theme, THEMES, "theme").includes(theme));
  return browsers.flatMap((browser) =>
    languages.flatMap((language) => themes.map((theme) => ({ browser, language, theme }))),
  );
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
      rollupOptions: { input: Object.values(PAGES).map(({ path }) => `${ROOT}${path}`) },
    },
  });
}

/** One browser for all pictures of a series; answers what is wrong with the pages. */
async function takeSeries(
  series: Series,
  pictures: readonly Picture[],
  address: string,
  axe: string,
): Promise<string[]> {
  const start = performance.now();
  const folder = `${OUT}${folderOf(series)}`;
  await mkdir(folder, { recursive: true });
  const open = BROWSERS[series.browser];
  if (open === undefined) throw new Error(`there is no browser ${series.browser}`);
  const browser = await open(series);
  const faults: string[] = [];
  try {
    for (const picture of pictures) {
      const found = await take(picture, series, browser, address, axe).catch((error: unknown) => [
        String(error),
      ]);
      faults.push(...found.map((fault) => `${folderOf(series)}/${nameOf(picture)}: ${fault}`));
    }
  } finally {
    await browser.close();
  }
  console.log(`${folderOf(series)}: ${((performance.now() - start) / 1_000).toFixed(0)} s`);
  return faults;
}

async function take(
  picture: Picture,
  series: Series,
  browser: PictureBrowser,
  address: string,
  axe: string,
): Promise<string[]> {
  const { path, ...viewport } = PAGES[picture.page];
  const query = new URLSearchParams({
    scene: picture.scene,
    language: series.language,
    ...(picture.problem === undefined ? { id: APPROVAL_ID } : { problem: picture.problem }),
  });
  const page = await browser.open(`${address}${path}?${query}#${picture.place ?? ""}`, viewport);
  try {
    await page.waitFor("#root > *");
    for (const step of picture.steps ?? []) await page.act(step);
    if (picture.until !== undefined) await page.waitFor(picture.until);
    await page.evaluate(AT_REST);
    await page.screenshot(
      `${OUT}${folderOf(series)}/${nameOf(picture)}.png`,
      await frame(picture.page, page),
    );
    const faults = [...page.errors];
    const overflow = Number(await page.evaluate(OVERFLOW_PIXELS));
    if (overflow > 0) faults.push(`overflows sideways by ${overflow} pixels`);
    // It looks at the same document in both browsers.
    if (series.browser === "chromium") faults.push(...(await accessibilityFaults(page, axe)));
    return faults;
  } finally {
    await page.close();
  }
}

/** The browser cuts the popup to its content, and shows the window as it is; the others are tabs, which scroll. */
async function frame(name: PageName, page: PicturePage): Promise<Pixels | undefined> {
  if (name === "welcome" || name === "options") return undefined;
  const { width, height } = PAGES[name];
  if (name === "approve") return { width, height };
  const content = Number(await page.evaluate("document.body.getBoundingClientRect().height"));
  return { width, height: Math.min(height, Math.ceil(content)) };
}

async function accessibilityFaults(page: PicturePage, axe: string): Promise<string[]> {
  await page.evaluate(`${axe}; undefined`);
  const found = await page.evaluate(`axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => id + ": " + node.target.join(" ") + ": " +
      ([...node.any, ...node.all, ...node.none][0]?.message ?? ""))))`);
  return Array.isArray(found) ? found.map(String) : [];
}

function nameOf({ page, name }: Picture): string {
  return `${page}-${name}`;
}

function folderOf({ browser, language, theme }: Series): string {
  return `${browser}/${language}/${theme}`;
}

/** Of all that was ever taken, so that a run of a few pictures leaves the others on it. */
function contactSheet(): string {
  const folders = Object.keys(BROWSERS).flatMap((browser) =>
    readdirSync(LOCALES).flatMap((language) =>
      THEMES.map((theme) => folderOf({ browser, language, theme })).filter((folder) =>
        existsSync(OUT + folder),
      ),
    ),
  );
  const figures = PICTURES.map((picture) => {
    const images = folders
      .map((folder) => `${folder}/${nameOf(picture)}.png`)
      .filter((file) => existsSync(OUT + file))
      .map(
        (file) => `<a href="${file}"><img src="${file}" alt="${file}" title="${file}" loading="lazy"></a>`,
      );
    return `<figure class="${picture.page}"><figcaption>${nameOf(picture)}</figcaption><div>${images.join("")}</div></figure>`;
  });
  return `<!doctype html>
<meta charset="utf-8">
<title>Tuppence: every screen</title>
<style>
  body { margin: 32px; background: #8a8f8c; font: 14px sans-serif }
  figure { margin: 0 0 40px } figcaption { margin-bottom: 8px; color: #fff; font-weight: bold }
  figure div { display: flex; gap: 8px; align-items: flex-start; overflow-x: auto }
  img { width: 270px; border-radius: 8px } .welcome img, .options img { width: 480px }
</style>
<p>${folders.join(" · ")}</p>
${figures.join("\n")}
`;
}
