import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { makeOffer } from "../offer.ts";
import { PaymentRequired, PaymentRequirements } from "./x402.ts";

const terms = {
  provider: "https://pay.example",
  merchant: "the-lantern",
  amount: 50_000n,
  currency: "USD",
  kind: "article" as const,
  title: "Tide mills",
  resource: "https://lantern.example/a",
};

describe("an offer", () => {
  it("that we write ourselves decodes", () => {
    const offer = v.parse(PaymentRequired, makeOffer(terms));
    expect(v.parse(PaymentRequirements, offer.accepts[0]).amount).toBe(50_000n);
  });
  it.each(["0", "-50000", "0.05", "50000.0", "5e4", "", " 50000", "99999999999999"])(
    "of the amount %j does not",
    (amount) => {
      expect(v.safeParse(PaymentRequirements, { ...makeOffer(terms).accepts[0], amount }).success).toBe(
        false,
      );
    },
  );
  it.each([50_000, null, {}, ["50000"]])("of an amount that is %j, not a string, does not", (amount) => {
    expect(v.safeParse(PaymentRequirements, { ...makeOffer(terms).accepts[0], amount }).success).toBe(false);
  });
  it.each(["javascript:alert(1)", "ftp://x.example/", "https://user:password@x.example/", "//x.example", ""])(
    "for %j does not",
    (url) => {
      expect(v.safeParse(PaymentRequired, { ...makeOffer(terms), resource: { url } }).success).toBe(false);
    },
  );
});
