/**
 * Astro writes the pages in clear into a folder that is not published, and `tuppence seal` makes the published one of them.
 * While you write, `astro dev` shows the clear pages: you read your own text without paying for it.
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { defineConfig } from "astro/config";
import { sealFolder } from "../../../merchant/cli/index.ts";

const {
  TUPPENCE_KEY,
  TUPPENCE_PROVIDER = "http://127.0.0.1:4020",
  SITE_URL = "http://127.0.0.1:8000",
  SITE_CLEAR = "../../../out/night-baker-clear",
  SITE_OUT = "../../../out/night-baker",
} = process.env;

export default defineConfig({
  site: SITE_URL,
  outDir: SITE_CLEAR,
  integrations: [{ name: "tuppence", hooks: { "astro:build:done": seal } }],
});

async function seal({ dir, logger }) {
  if (TUPPENCE_KEY === undefined) return;
  const { pages } = await sealFolder({
    key: TUPPENCE_KEY,
    merchant: "night-baker",
    provider: TUPPENCE_PROVIDER,
    price: "5¢",
    baseUrl: SITE_URL,
    site: fileURLToPath(dir),
    out: SITE_OUT,
  });
  for (const { path, outcome } of pages) logger.info(`${outcome} ${path}`);
}
