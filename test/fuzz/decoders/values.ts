/** Inputs that are no changed message. */
import fc from "fast-check";
import { expand } from "../mutate.ts";
import { TEXTS } from "../words.ts";

const character = fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code));

export const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...TEXTS).map((text) => unquote(expand(text))) },
  { weight: 1, arbitrary: fc.string({ unit: character }) },
  { weight: 1, arbitrary: fc.stringMatching(/^[$ ]{0,2}\d{1,8}(\.\d{0,8})?[ ¢]{0,2}$/) },
  { weight: 1, arbitrary: fc.base64String() },
  { weight: 1, arbitrary: fc.stringMatching(/^[0-9a-fA-F]{0,70}$/) },
);

export const anyValue: fc.Arbitrary<unknown> = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withTypedArray: true,
  withSparseArray: true,
});

/** What is no JSON is the text that it is. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function unquote(text: string): string {
  const value = readJson(text);
  return typeof value === "string" ? value : text;
}
