/**
 * `npm run build`: `dist/chrome` and `dist/firefox` from the one manifest, the merchants' snippet,
 * `dist/merchant/tuppence.js`, and the merchants' dashboard. `--only chrome,firefox,merchant,dashboard` makes some of them, `--watch` makes them again after
 * every change.
 */
import { createHash } from "node:crypto";
import { globSync, watch } from "node:fs";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { build } from "vite";
import { type BrowserName, readManifest } from "../vite.config.ts";

const TARGETS = ["chrome", "firefox", "merchant", "dashboard"] as const;
export type Target = (typeof TARGETS)[number];

const ROOT = path.dirname(import.meta.dirname);
/** The second one the background registers by itself: in the manifest it would run everywhere. */
const CONTENT_SCRIPTS = ["extension/content/doorbell.ts", "extension/content/known-site.ts"];
const WATCHED = [
  "extension",
  "wallet",
  "shared",
  "merchant/snippet",
  "server/dashboard/pages",
  "manifest.json",
  "vite.config.ts",
];
const OWN_STYLES = "style-src 'self'";
const STYLE_LINK = /<link rel="stylesheet"[^>]* href="([^"]+)">/;
/** An editor writes several files at once. */
const SETTLE_MS = 100;

const BUILDS: Readonly<Record<Target, () => Promise<void>>> = {
  chrome: () => buildExtension("chrome"),
  firefox: () => buildExtension("firefox"),
  merchant: buildSnippet,
  dashboard: buildDashboard,
};

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
    await BUILDS[target]();
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

async function buildExtension(browser: BrowserName): Promise<void> {
  const outDir = path.join(ROOT, "dist", browser);
  await build({ root: ROOT, configFile: path.join(ROOT, "vite.config.ts"), mode: browser, logLevel: "warn" });
  for (const script of CONTENT_SCRIPTS) await buildContentScript(outDir, script);
  await nameContentScripts(outDir);
  await inlineStyles(outDir);
  await cp(path.join(ROOT, "extension/_locales"), path.join(outDir, "_locales"), { recursive: true });
  await copyLitIcons(outDir);
  // What the bundler keeps for itself and no browser reads.
  await rm(path.join(outDir, ".vite"), { recursive: true, force: true });
}

/** One file without imports, which is all that a browser runs in a page at once. */
async function buildContentScript(outDir: string, script: string): Promise<void> {
  await build({
    root: ROOT,
    configFile: false,
    publicDir: false,
    logLevel: "warn",
    build: {
      outDir,
      emptyOutDir: false,
      target: "es2022",
      minify: true,
      modulePreload: false,
      rollupOptions: {
        input: script,
        output: { format: "iife", entryFileNames: builtName(script) },
      },
    },
  });
}

/** The background shows them by name, which the bundler does not see. */
async function copyLitIcons(outDir: string): Promise<void> {
  for (const file of globSync("extension/icons/lit-*.png", { cwd: ROOT }))
    await cp(path.join(ROOT, file), path.join(outDir, file));
}

async function nameContentScripts(outDir: string): Promise<void> {
  await rewriteManifest(outDir, () => ({
    content_scripts: readManifest().content_scripts.map((entry) => ({
      ...entry,
      js: entry.js.map(builtName),
    })),
  }));
}

async function rewriteManifest(
  outDir: string,
  changes: (manifest: { readonly content_security_policy: { readonly extension_pages: string } }) => object,
): Promise<void> {
  const file = path.join(outDir, "manifest.json");
  const manifest = JSON.parse(await readFile(file, "utf8"));
  await writeFile(file, `${JSON.stringify({ ...manifest, ...changes(manifest) }, undefined, 2)}\n`);
}

/**
 * Into the pages that they are for: a page with a style sheet of its own is drawn a third later, because the browser
 * fetches it first. The Content-Security-Policy lets in these very styles, by their hashes.
 */
async function inlineStyles(outDir: string): Promise<void> {
  const hashes: string[] = [];
  for (const page of globSync("extension/ui/*/index.html", { cwd: outDir })) {
    const html = await readFile(path.join(outDir, page), "utf8");
    const [link, address] = STYLE_LINK.exec(html) ?? [];
    if (link === undefined || address === undefined) throw new Error(`${page} links no style sheet`);
    const style = await readFile(path.join(outDir, address), "utf8");
    hashes.push(`'sha256-${createHash("sha256").update(style).digest("base64")}'`);
    // By a function, because of "$" in a style.
    await writeFile(
      path.join(outDir, page),
      html.replace(link, () => `<style>${style}</style>`),
    );
  }
  await rewriteManifest(outDir, ({ content_security_policy: { extension_pages } }) => {
    if (!extension_pages.includes(OWN_STYLES)) throw new Error(`the manifest's policy lacks ${OWN_STYLES}`);
    return {
      content_security_policy: {
        extension_pages: extension_pages.replace(OWN_STYLES, `style-src ${hashes.join(" ")}`),
      },
    };
  });
  for (const file of globSync("assets/*.css", { cwd: outDir })) await rm(path.join(outDir, file));
}

function builtName(script: string): string {
  return script.replace(/\.ts$/, ".js");
}

async function buildSnippet(): Promise<void> {
  await build({
    root: ROOT,
    configFile: path.join(ROOT, "merchant/snippet/vite.config.ts"),
    logLevel: "warn",
  });
}

/** With the snippet as it is, for the preview and to be taken along. */
async function buildDashboard(): Promise<void> {
  await build({ configFile: path.join(ROOT, "server/dashboard/pages/vite.config.ts") });
  await cp(path.join(ROOT, "dist/merchant/tuppence.js"), path.join(ROOT, "dist/dashboard/tuppence.js"));
}
