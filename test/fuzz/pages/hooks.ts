/** Exchanges the browser for one in memory while modules are loaded, as the unit tests do with a mock. */
import { registerHooks } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const ROOT = path.join(import.meta.dirname, "..", "..", "..");
const REAL = pathToFileURL(path.join(ROOT, "extension", "platform.ts")).href;
const FAKE = pathToFileURL(path.join(import.meta.dirname, "platform.ts")).href;

export function installFakePlatform(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      return resolved.url === REAL ? { ...resolved, url: FAKE } : resolved;
    },
  });
}
