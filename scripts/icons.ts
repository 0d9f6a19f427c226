/** Draws the extension's icons from their SVG: `node scripts/icons.ts`, after a change of the drawing. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { chromium } from "@playwright/test";
import { requireBrowser } from "./browsers.ts";

const ICONS = path.join(path.dirname(import.meta.dirname), "extension/icons");
const SIZES_PIXELS = [16, 32, 48, 128];
/** Up to this the finer drawing turns to mud. */
const SMALL_PIXELS = 16;

const browser = await chromium.launch({ executablePath: requireBrowser("chromium"), args: ["--no-sandbox"] });
const page = await browser.newPage();
for (const size of SIZES_PIXELS) {
  const file = size <= SMALL_PIXELS ? "tuppence-small.svg" : "tuppence.svg";
  const svg = await readFile(path.join(ICONS, file), "base64");
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(
    `<style>body{margin:0}img{display:block}</style><img width="${size}" height="${size}" src="data:image/svg+xml;base64,${svg}">`,
  );
  await page.screenshot({ path: path.join(ICONS, `${size}.png`), omitBackground: true });
}
await browser.close();
