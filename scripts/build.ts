/**
 * `npm run build`: `dist/chrome` and `dist/firefox` from the one manifest, and the merchants' snippet,
 * `dist/merchant/tuppence.js`. `--only chrome,firefox,merchant` makes some of them, `--watch` makes them again after
 * every change.
 */
import { watch } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { build } from "vite";

const TARGETS = ["chrome", "firefox", "merchant"] as const;
export type Target = (typeof TARGETS)[number];

const ROOT = path.dirname(import.meta.dirname);
const KNOWN_SITE = "extension/content/known-site";
const WATCHED = ["extension", "wallet", "shared", "merchant/snippet", "manifest.json", "vite.config.ts"];
/** An editor writes several files at once. */
const SETTLE_MS = 100;

if (import.meta.main) await main();

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { only: { type: "string" }, watch: { type: "boolean" } } });
  const only = values.only?.split(",") ?? TARGETS;
  const targets = TARGETS.filter((target) => only.includes(target));
  if (targets.length === 0) throw new Error(`--only takes some of ${TARGETS.join(", ")}`);
  if (values.watch) await buildAndWatch(targets);
  else await buildAll(targets);
}

/** @throws Error with the bundler's words if something does not build */
export async function buildAll(targets: readonly Target[] = TARGETS): Promise<void> {
  // One after the other: the extension's bundler keeps its state in one place.
  for (const target of targets) {
    const start = performance.now();
    await (target === "merchant" ? buildSnippet() : buildExtension(target));
    console.log(`dist/${target} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  }
}

/** Builds, and builds again after every change. `onBuilt` is told after each build that succeeded. Never ends. */
export async function buildAndWatch(
  targets: readonly Target[],
  onBuilt: () => void = () => {},
): Promise<never> {
  let changed = Promise.withResolvers<void>();
  for (const place of WATCHED) watch(path.join(ROOT, place), { recursive: true }, () => changed.resolve());
  for (;;) {
    changed = Promise.withResolvers();
    try {
      await buildAll(targets);
      onBuilt();
    } catch (error) {
      // The next change may mend it.
      console.error(error instanceof Error ? error.message : error);
    }
    await changed.promise;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  }
}

async function buildExtension(browser: "chrome" | "firefox"): Promise<void> {
  await build({ root: ROOT, configFile: path.join(ROOT, "vite.config.ts"), mode: browser, logLevel: "warn" });
  await buildKnownSiteScript(browser);
  await removeLeftovers(path.join(ROOT, "dist", browser));
}

/** The content script that the background registers by itself: it may not stand in the manifest, where it would run everywhere. */
async function buildKnownSiteScript(browser: "chrome" | "firefox"): Promise<void> {
  await build({
    root: ROOT,
    configFile: false,
    publicDir: false,
    logLevel: "warn",
    build: {
      outDir: `dist/${browser}`,
      emptyOutDir: false,
      target: "es2022",
      minify: true,
      modulePreload: false,
      rollupOptions: {
        input: `${KNOWN_SITE}.ts`,
        output: { format: "iife", entryFileNames: `${KNOWN_SITE}.js` },
      },
    },
  });
}

async function buildSnippet(): Promise<void> {
  await build({
    root: ROOT,
    configFile: path.join(ROOT, "merchant/snippet/vite.config.ts"),
    logLevel: "warn",
  });
}

/** What the bundler keeps for itself and no browser reads. */
async function removeLeftovers(folder: string): Promise<void> {
  await rm(path.join(folder, ".vite"), { recursive: true, force: true });
}
