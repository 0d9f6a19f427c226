/**
 * What is exchanged while modules are loaded: the wallet's curve for a native one, and, for a mutant, strings of the
 * product's source. A string that is not there exactly once stops everything: the mutant would mutate nothing.
 */
import { registerHooks } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Mutant } from "./mutants.ts";

const ROOT = path.join(import.meta.dirname, "..", "..");
const urlOf = (file: string): string => pathToFileURL(path.join(ROOT, file)).href;
const SLOW_CURVE = urlOf("wallet/core/cashu.ts");
const FAST_CURVE = urlOf("test/simulation/curve.ts");

/** Before anything of the product is imported. */
export function installHooks(mutant: Pick<Mutant, "name" | "edits"> | undefined): void {
  const edits = mutant?.edits ?? [];
  const edited = new Set(edits.map(({ file }) => urlOf(file)));
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      return resolved.url === SLOW_CURVE && context.parentURL !== FAST_CURVE
        ? { ...resolved, url: FAST_CURVE }
        : resolved;
    },
    load(url, context, next) {
      const loaded = next(url, context);
      if (!edited.has(url)) return loaded;
      const own = edits.filter(({ file }) => urlOf(file) === url);
      const source = own.reduce((text, { from, to }) => {
        if (text.split(from).length !== 2)
          throw new Error(`mutant "${mutant?.name}": ${url} does not hold exactly once: ${from}`);
        return text.replace(from, () => to);
      }, String(loaded.source));
      return { ...loaded, source };
    },
  });
}
