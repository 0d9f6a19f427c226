/**
 * `npm test` is for every change, and plays of long series (mutants, kills, languages, databases) a part that would notice a
 * mistake; `npm run test:thorough` plays all of them. What one test alone is long for has the tag below, or is left out by
 * `vitest.config.ts`.
 */
import process from "node:process";

export const isThorough = process.env.TUPPENCE_TEST_THOROUGH === "1";

/** Tests with it are played in a thorough run only (`playwright.config.ts`). */
export const THOROUGH = { tag: "@thorough" } as const;

/** The first ones; in a thorough run all of them. */
export function firstOf<T>(all: readonly T[], count: number): readonly T[] {
  return isThorough ? all : all.slice(0, count);
}
