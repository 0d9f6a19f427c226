/** What a reader's browser has to carry, compressed as stores and servers send it (gzip, level 9). */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { APPROVE_PAGE, OPTIONS_PAGE, POPUP_PAGE, WELCOME_PAGE } from "../shared/protocol/ui.ts";
import type { Part, Row } from "./row.ts";

const EXTENSION = "dist/chrome";
const SNIPPET = "dist/merchant/tuppence.js";

export const weight: Part = {
  name: "weight",
  measure: async () => [
    { name: "weight.snippet_gzip_bytes", value: gzipped([SNIPPET]), unit: "bytes", aim: 6_000 },
    {
      name: "weight.content_script_gzip_bytes",
      value: gzipped(scriptsInEveryPage()),
      unit: "bytes",
      aim: 2_000,
      baseline: "web-monetization-extension 11,804, Alby 65,436",
    },
    {
      name: "weight.popup_gzip_bytes",
      value: gzipped(scriptsOfPage(POPUP_PAGE)),
      unit: "bytes",
      aim: 40_000,
      baseline: "web-monetization-extension 183,622, Alby 711,430",
    },
    weightOfPage("approve", APPROVE_PAGE),
    weightOfPage("welcome", WELCOME_PAGE),
    weightOfPage("options", OPTIONS_PAGE),
  ],
};

/** Pages share most of their scripts: what a second one adds is far less. */
function weightOfPage(name: string, page: string): Row {
  return { name: `weight.${name}_gzip_bytes`, value: gzipped(scriptsOfPage(page)), unit: "bytes" };
}

function gzipped(files: readonly string[]): number {
  if (files.length === 0) throw new Error("there is nothing to weigh");
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0);
}

function scriptsInEveryPage(): string[] {
  const manifest: { content_scripts?: { js?: string[] }[] } = JSON.parse(
    readFileSync(join(EXTENSION, "manifest.json"), "utf8"),
  );
  return (manifest.content_scripts ?? []).flatMap(({ js }) => js ?? []).map((file) => join(EXTENSION, file));
}

/** The page's own scripts and all that they import, however deep, each once. */
export function scriptsOfPage(page: string): string[] {
  const html = readFileSync(join(EXTENSION, page), "utf8");
  const found = new Set<string>();
  for (const [, source = ""] of html.matchAll(/<script[^>]*\ssrc="([^"]+)"/g)) {
    visit(source.startsWith("/") ? join(EXTENSION, source) : join(EXTENSION, dirname(page), source), found);
  }
  return [...found];
}

function visit(file: string, found: Set<string>): void {
  if (found.has(file) || !existsSync(file)) return;
  found.add(file);
  const code = readFileSync(file, "utf8");
  for (const [, source = ""] of code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'`](\.{1,2}\/[^"'`]+)["'`]/g))
    visit(join(dirname(file), source), found);
}
