import fc from "fast-check";
import { expect, it } from "vitest";
import { canonicalJson } from "./canonical.ts";

it("writes the same value the same way, whatever order its keys came in", () => {
  expect(canonicalJson({ b: 1, a: [true, null, "x"] })).toBe(canonicalJson({ a: [true, null, "x"], b: 1 }));
  expect(canonicalJson({ b: 1, a: undefined })).toBe('{"b":1}');
});
it("says what JSON says", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
it("refuses what JSON cannot say, instead of hashing something else", () => {
  for (const value of [1n, Number.NaN, () => 1, Symbol("x"), undefined])
    expect(() => canonicalJson(value)).toThrow(TypeError);
});
