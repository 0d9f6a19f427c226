import * as v from "valibot";
import { expect, it } from "vitest";
import { MintRequest } from "../../shared/protocol/cashu.ts";
import { verifyQuoteSignature } from "./quote-signature.ts";
import vectors from "./vectors/cashu.json" with { type: "json" };

const { pubkey } = vectors.mintQuote;
const valid = v.parse(MintRequest, vectors.mintQuote.valid);
const invalid = v.parse(MintRequest, vectors.mintQuote.invalid);

it("takes the signature of NUT-20's vector and refuses its false one", () => {
  expect(verifyQuoteSignature(pubkey, valid.quote, valid.outputs, valid.signature ?? "")).toBe(true);
  expect(verifyQuoteSignature(pubkey, invalid.quote, invalid.outputs, invalid.signature ?? "")).toBe(false);
});

it("refuses a signature when outputs were exchanged, left out, or for another quote", () => {
  const { quote, outputs, signature = "" } = valid;
  expect(verifyQuoteSignature(pubkey, quote, outputs.toReversed(), signature)).toBe(false);
  expect(verifyQuoteSignature(pubkey, quote, outputs.slice(1), signature)).toBe(false);
  expect(verifyQuoteSignature(pubkey, `${quote}0`, outputs, signature)).toBe(false);
});
