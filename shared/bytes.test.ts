import fc from "fast-check";
import { expect, it } from "vitest";
import { fromBase64url, fromHex, toBase64url, toHex } from "./bytes.ts";

it("gives bytes back as they were", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
      expect(Array.from(fromHex(toHex(bytes)))).toEqual(Array.from(bytes));
      expect(Array.from(fromBase64url(toBase64url(bytes)))).toEqual(Array.from(bytes));
    }),
  );
});
it("refuses what is not the encoding, instead of dropping it", () => {
  for (const text of ["0", "0g", "0x00"]) expect(() => fromHex(text)).toThrow(RangeError);
  for (const text of ["a", "a=", "a+b/", "a b"]) expect(() => fromBase64url(text)).toThrow(RangeError);
});
