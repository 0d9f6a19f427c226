import { describe, expect, it } from "vitest";
import { learns, type PrivacyEvent } from "./privacy.ts";

const PAYMENTS: readonly PrivacyEvent[] = ["payment", "payment_by_site", "tip"];
const ACCOUNT: readonly PrivacyEvent[] = ["top_up", "withdraw", "backup", "leaving"];
const ALL: readonly PrivacyEvent[] = [...PAYMENTS, ...ACCOUNT, "refund", "coming_back", "restore"];

describe("the meter", () => {
  it.each(ALL)("does not leave out that whoever sees a request sees address and moment: %s", (event) => {
    const { provider, gateway } = learns(event);
    for (const facts of [provider, gateway].filter(({ length }) => length > 0))
      expect(facts).toEqual(expect.arrayContaining(["address", "moment"]));
  });

  it.each([...PAYMENTS, "refund"] as const)(
    "does not tell of an account where none is told of: %s",
    (event) => {
      expect(learns(event).provider).not.toContain("account");
      expect(learns(event).provider).not.toContain("account_by_moment");
      expect(learns(event).gateway).toEqual([]);
    },
  );

  it.each(PAYMENTS)(
    "does not keep it from the reader that a withdraw right before a payment can be compared: %s",
    (event) => {
      expect(learns(event, { isShort: true }).provider).toContain("account_by_moment");
    },
  );

  it.each(ACCOUNT)("does not tell of merchants where none is told of: %s", (event) => {
    const { merchant, provider } = learns(event);
    expect(merchant).toEqual([]);
    for (const fact of ["merchant", "page", "payment_id"] as const) expect(provider).not.toContain(fact);
  });

  it("says more where more is told", () => {
    const usual = learns("payment").provider;
    expect(learns("payment", { hasChange: true }).provider).toEqual([...usual, "change", "blinded_coins"]);
    expect(learns("payment", { asksForMerchant: true }).provider).toEqual([...usual, "interest_in_merchant"]);
    expect(learns("coming_back").provider).toEqual([]);
    expect(learns("coming_back", { isResealed: true }).provider).toContain("payment_id");
  });
});
