import { expect, test } from "vitest";
import { makeOffer } from "../../shared/offer.ts";
import { readHeader, readOffer } from "./offer.ts";

const OFFER = makeOffer({
  provider: "https://pay.example",
  merchant: "paper",
  amount: 125_000n,
  currency: "USD",
  kind: "article",
  title: "Leuchttürme",
  resource: "https://paper.example/a",
});

test("the button's price is the offer's, other schemes beside it notwithstanding", () => {
  const other = { scheme: "exact", network: "eip155:8453", amount: "1", payTo: "0x" };
  expect(readOffer({ ...OFFER, accepts: [other, ...OFFER.accepts] })).toMatchObject({
    price: "12.5¢",
    merchant: "paper",
    resource: "https://paper.example/a",
  });
});

test.each([
  null,
  "offer",
  {},
  { ...OFFER, accepts: [] },
  { ...OFFER, accepts: "all" },
  { ...OFFER, resource: { url: "not an address" } },
  { ...OFFER, accepts: [{ ...OFFER.accepts[0], scheme: "upto" }] },
  { ...OFFER, accepts: [{ ...OFFER.accepts[0], payTo: 5 }] },
])("an offer that no Tuppence wallet can pay is none: %j", (value) => {
  expect(readOffer(value)).toBeUndefined();
});

test("a price that is none is not shown, and is left for the wallet to refuse", () => {
  expect(readOffer({ ...OFFER, accepts: [{ ...OFFER.accepts[0], amount: "-5" }] })).toMatchObject({
    price: undefined,
  });
});

test("a header's letters beyond ASCII survive; rubbish reads as nothing", () => {
  expect(readHeader(Buffer.from(JSON.stringify(OFFER)).toString("base64"))).toEqual(OFFER);
  expect(readHeader("%%%")).toBeUndefined();
  expect(readHeader(null)).toBeUndefined();
});
