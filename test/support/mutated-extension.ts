/** A copy of a built extension with mistakes in it: what a test that looks for such mistakes has to find. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export interface MutatedExtension {
  readonly folder: string;
  remove(): void;
}

export interface Mutation {
  readonly file: string;
  /** From what the file holds; from nothing, where there is none. */
  readonly change: (source: string) => string;
}

export function mutateExtension(
  browser: "chrome" | "firefox",
  mutations: readonly Mutation[],
): MutatedExtension {
  const folder = mkdtempSync(path.join(tmpdir(), "tuppence-mutated-"));
  cpSync(path.resolve(import.meta.dirname, "../../dist", browser), folder, { recursive: true });
  for (const { file, change } of mutations) {
    const at = path.join(folder, file);
    const before = existsSync(at) ? readFileSync(at, "utf8") : "";
    const after = change(before);
    if (after === before) throw new Error(`nothing was changed in ${file}`);
    writeFileSync(at, after);
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** The one script of the built extension that has this in it. */
export function fileHolding(browser: "chrome" | "firefox", text: string): string {
  const dist = path.resolve(import.meta.dirname, "../../dist", browser);
  const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".js"),
  );
  const [found, ...others] = files.filter((file) =>
    readFileSync(path.join(dist, file), "utf8").includes(text),
  );
  if (found === undefined || others.length > 0) throw new Error(`not one file holds ${text}`);
  return found;
}

/** A wallet that comes back hears of no backup, and has to ask about everything that it ever did. */
export function backupUnheardOf(browser: "chrome" | "firefox"): Mutation {
  return {
    file: fileHolding(browser, "backupParts:"),
    change: (source) => source.replaceAll("backupParts:", "backupParts: async () => [], unused:"),
  };
}

/** A wallet that comes back asks about its withdraws where it asks about its payments. */
export function withdrawsAskedAnonymously(browser: "chrome" | "firefox"): Mutation {
  return {
    file: fileHolding(browser, "restoreWithdrawn:"),
    change: (source) =>
      source.replaceAll(
        "restoreWithdrawn:",
        "restoreWithdrawn(_, outputs) { return this.restore(outputs); }, unused:",
      ),
  };
}

/** What differs of what the page saw, by the way in which it looked. */
export function waysToTellApart(one: object, other: object): string[] {
  const others = new Map(Object.entries(other).map(([way, seen]) => [way, JSON.stringify(seen)]));
  return Object.entries(one)
    .filter(([way, seen]) => JSON.stringify(seen) !== others.get(way))
    .map(([way]) => way)
    .sort();
}

const CONTENT_SCRIPT = "extension/content/doorbell.js";

/** A wallet that gives itself away in every way that the probing page looks for. */
export const TELLTALE: readonly Mutation[] = [
  {
    file: CONTENT_SCRIPT,
    change: (source) =>
      `${source}
      document.addEventListener("tuppence:request-wallet", () => document.dispatchEvent(new CustomEvent("tuppence:announce-wallet", { detail: "{}" })));
      document.addEventListener("tuppence:request", ({ detail }) => { try { JSON.parse(detail); } catch {} });
      addEventListener("DOMContentLoaded", () => {
        document.documentElement.setAttribute("data-wallet", "");
        const style = document.createElement("style");
        document.head.append(style);
      });
      addEventListener("click", () => window.postMessage("clicked", "*"));`,
  },
  {
    file: "extension/content/in-page.js",
    change: () => `globalThis.tuppence = {};
      // Not before the page listens for errors: a time-out may be over before the page's first script.
      addEventListener("DOMContentLoaded", () => { throw new Error("in the page"); });
      setTimeout(() => document.addEventListener("click", (event) => event.composedPath().some(({ localName }) => localName), true));`,
  },
  {
    file: "manifest.json",
    change: (source) => {
      const manifest = JSON.parse(source);
      const [first] = manifest.content_scripts;
      return JSON.stringify({
        ...manifest,
        web_accessible_resources: [{ resources: ["extension/icons/*"], matches: ["<all_urls>"] }],
        content_scripts: [first, { ...first, js: ["extension/content/in-page.js"], world: "MAIN" }],
      });
    },
  },
];
