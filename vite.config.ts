/**
 * The extension but for its content scripts, for the browser named by `--mode` (`chrome` or `firefox`), from the one
 * manifest. `npm run build` (`scripts/build.ts`) makes both, and the content scripts.
 */
import { readFileSync } from "node:fs";
import { crx, type ManifestV3Export } from "@crxjs/vite-plugin";
import { defineConfig } from "vite";
import { APPROVE_PAGE, WELCOME_PAGE } from "./shared/protocol/ui.ts";

export type BrowserName = "chrome" | "firefox";

export default defineConfig(({ mode }) => {
  const browser: BrowserName = mode === "firefox" ? "firefox" : "chrome";
  return {
    publicDir: false,
    plugins: [crx({ browser, manifest: manifestFor(browser) })],
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      outDir: `dist/${browser}`,
      emptyOutDir: true,
      target: "es2022",
      minify: true,
      sourcemap: false,
      modulePreload: false,
      // Pages that the manifest does not name.
      rollupOptions: {
        input: { approve: APPROVE_PAGE, welcome: WELCOME_PAGE },
        // What @hpke falls back to where there is no WebCrypto: never in a browser.
        external: ["crypto"],
        checks: { pluginTimings: false },
      },
    },
  };
});

type Manifest = Exclude<ManifestV3Export, Promise<unknown> | ((environment: never) => unknown)>;
type Source = Omit<Manifest, "background" | "content_scripts"> & {
  readonly background: {
    readonly service_worker: string;
    readonly scripts: string[];
    readonly type: "module";
  };
  readonly content_scripts: readonly { readonly js: readonly string[] }[];
};

/**
 * What only one browser understands is left out for the other, and content scripts for both: the plugin's loader for them
 * is asynchronous, and makes files of ours readable to every page.
 */
function manifestFor(browser: BrowserName): ManifestV3Export {
  const { background, browser_specific_settings, minimum_chrome_version, content_scripts, ...common } =
    readManifest();
  const { service_worker, scripts, type } = background;
  if (browser === "chrome")
    return { ...common, minimum_chrome_version, background: { service_worker, type } };
  return { ...common, browser_specific_settings, background: { scripts, type } };
}

export function readManifest(): Source {
  return JSON.parse(readFileSync(new URL("manifest.json", import.meta.url), "utf8"));
}
