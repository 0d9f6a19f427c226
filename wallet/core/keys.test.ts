import { createHmac, hkdfSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../shared/bytes.ts";
import { makePhrase, openKeys, readPhrase, seedOf } from "./keys.ts";

const PHRASE =
  "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
/** From the test vectors of BIP-39, with no passphrase. */
const SEED =
  "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc19a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4";

describe("the recovery phrase", () => {
  it("gives the seed that every other BIP-39 program gives", async () => {
    expect(makePhrase(new Uint8Array(16))).toBe(PHRASE);
    expect(await seedOf(PHRASE)).toBe(SEED);
  });
  it("is read however it was typed", () => {
    expect(readPhrase(`  ${PHRASE.toUpperCase().replaceAll(" ", "\n ")} `)).toBe(PHRASE);
  });
  it.each([
    "",
    "abandon",
    `${PHRASE} about`,
    PHRASE.replace("about", "abandon"),
    PHRASE.replace("about", "tuppence"),
  ])("is refused where a word is missing, wrong or misplaced: %j", (typed) => {
    expect(() => readPhrase(typed)).toThrow("phrase_invalid");
  });
});

describe("the keys", () => {
  const derive = (info: string, bytes: number, salt: Uint8Array = new Uint8Array(0)) =>
    toHex(new Uint8Array(hkdfSync("sha256", fromHex(SEED), salt, info, bytes)));
  const number = (n: number) => Uint8Array.of(0, 0, 0, 0, 0, 0, n >> 8, n & 255);

  it("are those of docs/PROTOCOL.md, so that another wallet finds the same coins and payments", async () => {
    const keys = await openKeys(SEED);
    const first = await keys.device(0);
    expect(toHex(first.withdrawSeed)).toBe(derive("tuppence withdraw v1", 64));
    expect(toHex(first.swapSeed)).toBe(derive("tuppence swap v1", 64));
    expect(await first.quoteKey(258)).toBe(derive("tuppence quote v1", 32, number(258)));
    const idKey = fromHex(derive("tuppence payment id v1", 32));
    const id = createHmac("sha256", idKey).update(number(258)).digest("hex").slice(0, 32);
    expect(await first.paymentId(258)).toBe(id);
    const nameKey = fromHex(derive("tuppence backup names v1", 32));
    const name = createHmac("sha256", nameKey).update("payments 3 258").digest("hex").slice(0, 32);
    expect(await keys.backup.partName("payments", 3, 258)).toBe(name);
    const payment = await keys.payment(id);
    expect(payment.refundPreimage).toBe(derive("tuppence refund v1", 32, fromHex(id)));
    expect(toHex(await payment.changeSeed())).toBe(derive("tuppence change v1", 64, fromHex(id)));
    expect(toHex(await payment.refundSeed())).toBe(derive("tuppence refund outputs v1", 64, fromHex(id)));
  });
  it("of another device are none of the first one's, as docs/PROTOCOL.md says", async () => {
    const keys = await openKeys(SEED);
    const third = await keys.device(3);
    expect(toHex(third.withdrawSeed)).toBe(derive("tuppence withdraw v1", 64, number(3)));
    expect(toHex(third.swapSeed)).toBe(derive("tuppence swap v1", 64, number(3)));
    const salt = new Uint8Array([...number(3), ...number(258)]);
    expect(await third.quoteKey(258)).toBe(derive("tuppence quote v1", 32, salt));
    const idKey = fromHex(derive("tuppence payment id v1", 32, number(3)));
    const id = createHmac("sha256", idKey).update(number(258)).digest("hex").slice(0, 32);
    expect(await third.paymentId(258)).toBe(id);
  });
  it("are of one payment only", async () => {
    const keys = await openKeys(SEED);
    const { paymentId } = await keys.device(0);
    const [first, second] = await Promise.all([
      keys.payment(await paymentId(0)),
      keys.payment(await paymentId(1)),
    ]);
    expect(first.holderThumbprint).not.toBe(second.holderThumbprint);
    expect(first.refundHash).not.toBe(second.refundHash);
  });
});
