/** The vectors of the Cashu specifications, and what a dishonest mint would try. */
import { expect, it } from "vitest";
import { fromHex, toHex } from "../../shared/bytes.ts";
import { keysetIdFits, makeBlankCoin, unblind, yOf } from "./cashu.ts";
import { seedOf } from "./keys.ts";

const KEYSET = "015ba18a8adcd02e715a58358eb618da4a4b3791151a4bee5e968bb88406ccf76a";
const PHRASE = "half depart obvious quality work element tank gorilla view sugar picture humble";

it("derives secrets and blinding factors as NUT-13 does, so that other wallets can restore them", async () => {
  const seed = fromHex(await seedOf(PHRASE));
  const first = makeBlankCoin(seed, KEYSET, 0);
  const last = makeBlankCoin(seed, KEYSET, 4);
  expect(first.secret).toBe("db5561a07a6e6490f8dadeef5be4e92f7cebaecf2f245356b5b2a4ec40687298");
  expect(first.blindingFactor).toBe(0x6d26181a3695e32e9f88b80f039ba1ae2ab5a200ad4ce9dbc72c6d3769f2b035n);
  expect(last.secret).toBe("5e89fc5d30d0bf307ddf0a3ac34aa7a8ee3702169dafa3d3fe1d0cae70ecd5ef");
  expect(last.blindingFactor).toBe(0x5550337312d223ba62e3f75cfe2ab70477b046d98e3e71804eade3956c7b98cfn);
});

it("hashes a secret's text to the curve, so that the provider finds the coin again", () => {
  const bytes = new TextDecoder().decode(
    fromHex("0000000000000000000000000000000000000000000000000000000000000001"),
  );
  expect(yOf(bytes)).toBe("022e7158e11c9506f1aa4248bf531298daa7febd6194f003edcd9b93ade6253acf");
});

/** The vector of NUT-12 on a blind signature: the mint's private key is 1, so `C_` is `B_`. */
const BLANK = {
  keysetId: "00882760bfa2eb41",
  secret: "x",
  blindingFactor: 1n,
  B_: "02a9acc1e48c25eeeb9289b5031cc57da9fe72f3fe2861d264bdc074209b107ba2",
};
const SIGNATURE = {
  id: BLANK.keysetId,
  C_: BLANK.B_,
  dleq: {
    e: "9818e061ee51d5c8edc3342369a554998ff7b4381c8652d724cdf46429be73d9",
    s: "9818e061ee51d5c8edc3342369a554998ff7b4381c8652d724cdf46429be73da",
  },
};
const KEY = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const OTHER_KEY = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5";

it("opens a signature that the published key made", () => {
  expect(unblind(BLANK, SIGNATURE, KEY)).toMatch(/^0[23][0-9a-f]{64}$/);
});

it.each<[string, object, string]>([
  ["a key of its own, made for one reader", {}, OTHER_KEY],
  ["another keyset", { id: "00ffffffffffffff" }, KEY],
  ["a proof that was altered", { dleq: { ...SIGNATURE.dleq, s: `${SIGNATURE.dleq.s.slice(0, -1)}b` } }, KEY],
  ["a point that is none", { C_: `02${"f".repeat(64)}` }, KEY],
])("refuses a signature by %s", (_, changes, key) => {
  expect(unblind(BLANK, { ...SIGNATURE, ...changes }, key)).toBeUndefined();
});

it("refuses a keyset whose id does not follow from its keys", () => {
  expect(keysetIdFits(KEYSET, "usd6", { "1000": KEY })).toBe(false);
  expect(keysetIdFits(toHex(new Uint8Array(33)), "usd6", { "1000": KEY })).toBe(false);
});
