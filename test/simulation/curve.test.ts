import { expect, it } from "vitest";
import { publicKeyOf, signWithProof } from "../../server/mint/curve.ts";
import { keysetIdVersion2 } from "../../server/mint/keysets.ts";
import { keysetIdFits, makeBlankCoin, quotePublicKey, unblind, yOf } from "../../wallet/core/cashu.ts";
import * as fast from "./curve.ts";
import { seededRandom } from "./random.ts";

const KEYSET = `01${"ab".repeat(32)}`;
const random = seededRandom(3, "curve");

it("makes the wallet's very coins, so that a run proves something about them", () => {
  for (let counter = 0; counter < 8; counter++) {
    const seed = random.bytes(64);
    const privateKey = random.bytes(32);
    const publicKey = publicKeyOf(privateKey);
    const blank = makeBlankCoin(seed, KEYSET, counter);
    expect(fast.makeBlankCoin(seed, KEYSET, counter)).toEqual(blank);
    expect(fast.yOf(blank.secret)).toBe(yOf(blank.secret));
    const { C_, e, s } = signWithProof(privateKey, blank.B_);
    const signature = { id: KEYSET, C_, dleq: { e, s } };
    const C = unblind(blank, signature, publicKey);
    expect(C).toBeDefined();
    expect(fast.unblind(blank, signature, publicKey)).toBe(C);
    const forged = { ...signature, dleq: { e: s, s: e } };
    expect(unblind(blank, forged, publicKey)).toBeUndefined();
    expect(fast.unblind(blank, forged, publicKey)).toBeUndefined();
    expect(fast.unblind(blank, { ...signature, id: "other" }, publicKey)).toBeUndefined();
  }
});

it("knows the wallet's keysets and quote keys", () => {
  const keys = { 1000: publicKeyOf(random.bytes(32)), 2000: publicKeyOf(random.bytes(32)) };
  const id = keysetIdVersion2({ keys, unit: "usd6" });
  for (const unit of ["usd6", "eur6"])
    expect(fast.keysetIdFits(id, unit, keys)).toBe(keysetIdFits(id, unit, keys));
  const privateKey = Buffer.from(random.bytes(32)).toString("hex");
  expect(fast.quotePublicKey(privateKey)).toBe(quotePublicKey(privateKey));
});
