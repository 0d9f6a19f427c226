import * as v from "valibot";
import { describe, expect, test } from "vitest";
import {
  EntitlementResult,
  PageError,
  PayResult,
  StatusResult,
  TipResult,
} from "../../shared/protocol/page.ts";
import { decodeEntitlement, decodeError, decodePay, decodeStatus, decodeTip, fieldsOf } from "./decode.ts";

const key = "k".repeat(43);
const cases = [
  [
    "pay",
    decodePay,
    PayResult,
    { paymentId: "1", receipt: "r", contentKey: key, paymentSignature: "s" },
    ["paymentId"],
  ],
  [
    "tip",
    decodeTip,
    TipResult,
    { paymentId: "1", receipt: "r", amount: "50000" },
    ["paymentId", "receipt", "amount"],
  ],
  [
    "entitlement",
    decodeEntitlement,
    EntitlementResult,
    { paymentId: "1", receipt: "r", holderProof: "p", contentKey: key },
    ["paymentId", "receipt", "holderProof"],
  ],
  ["status", decodeStatus, StatusResult, { state: "refunded" }, ["state"]],
  ["error", decodeError, PageError, { code: "declined", message: "No." }, ["code", "message"]],
] as const;

describe.each(cases)("the snippet's decoder of %s", (_name, decode, schema, genuine, required) => {
  test("reads a genuine answer as the schema does", () => {
    expect(v.parse(schema, genuine)).toMatchObject(genuine);
    expect(decode(genuine)).toMatchObject(genuine);
  });

  test.each(required)("does not take an answer without its %s, or with a number there", (field) => {
    for (const broken of [
      { ...genuine, [field]: undefined },
      { ...genuine, [field]: 7 },
    ]) {
      expect(v.safeParse(schema, broken).success).toBe(false);
      expect(decode(broken)).toBeUndefined();
    }
  });
});

test("what is no object has no fields", () => {
  for (const value of [null, undefined, "text", 5]) expect(fieldsOf(value)).toEqual({});
});
