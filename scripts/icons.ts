/** Draws the extension's icons from their SVG: `node scripts/icons.ts`, after a change of the drawing. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { chromium } from "@playwright/test";
import { requireBrowser } from "./browsers.ts";

const ICONS = path.join(path.dirname(import.meta.dirname), "extension/icons");
/** The lit one stands in the toolbar only. */
const KINDS = [
  { drawing: "tuppence", beginning: "", sizes: [16, 32, 48, 128] },
  { drawing: "lit", beginning: "lit-", sizes: [16, 32, 48] },
];
/** Up to this the finer drawing turns to mud. */
const SMALL_PIXELS = 16;

const browser = await chromium.launch({ executablePath: requireBrowser("chromium"), args: ["--no-sandbox"] });
const page = await browser.newPage();
for (const { drawing, beginning, sizes } of KINDS) {
  for (const size of sizes) await draw(drawing, size, `${beginning}${size}.png`);
}
await browser.close();

async function draw(drawing: string, size: number, file: string): Promise<void> {
  const source = size <= SMALL_PIXELS ? `${drawing}-small.svg` : `${drawing}.svg`;
  const svg = await readFile(path.join(ICONS, source), "base64");
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(
    `<style>body{margin:0}img{display:block}</style><img width="${size}" height="${size}" src="data:image/svg+xml;base64,${svg}">`,
  );
  await page.screenshot({ path: path.join(ICONS, file), omitBackground: true });
}
