/**
 * Eleventy writes the pages in clear into a folder that is not published, and `tuppence seal` makes the published one of them.
 * While you write, `eleventy --serve` shows the clear pages: you read your own text without paying for it.
 */
import process from "node:process";
import { sealFolder } from "../../../merchant/cli/index.ts";

const {
  TUPPENCE_KEY,
  TUPPENCE_PROVIDER = "http://127.0.0.1:4020",
  SITE_URL = "http://127.0.0.1:8000",
  SITE_OUT = "../../../out/letters",
} = process.env;

/** @param {import("@11ty/eleventy").UserConfig} config */
export default function configure(config) {
  config.addPassthroughCopy({ [`${import.meta.dirname}/src/style.css`]: "style.css" });
  config.addGlobalData("site", { title: "Letters from a Lighthouse", url: SITE_URL });

  config.on("eleventy.after", async ({ directories, runMode }) => {
    if (TUPPENCE_KEY === undefined || runMode !== "build") return;
    const { pages } = await sealFolder({
      key: TUPPENCE_KEY,
      merchant: "letters",
      provider: TUPPENCE_PROVIDER,
      price: "5¢",
      baseUrl: SITE_URL,
      site: directories.output,
      out: SITE_OUT,
    });
    for (const { path, outcome } of pages) console.log(`[tuppence] ${outcome} ${path}`);
  });
}

export const config = { dir: { input: "src", output: "../../../out/letters-clear" } };
