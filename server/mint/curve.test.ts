import { schnorr } from "@noble/curves/secp256k1.js";
import { expect, it } from "vitest";
import {
  hashE,
  hashToCurve,
  isPoint,
  publicKeyOf,
  signBlinded,
  signWithProof,
  verifyCoin,
  verifyProof,
  verifySchnorr,
} from "./curve.ts";
import vectors from "./vectors/cashu.json" with { type: "json" };

const bytes = (hex: string) => Buffer.from(hex, "hex");
const toHex = (data: Uint8Array) => Buffer.from(data).toString("hex");

it.each(vectors.hashToCurve)(
  "hashes $message to the curve as NUT-00 says, the one that takes several tries included",
  ({ message, point }) => {
    expect(toHex(hashToCurve(bytes(message)))).toBe(point);
  },
);

it.each(vectors.blindSignatures)(
  "signs blindly as NUT-00 says with $privateKey",
  ({ privateKey, B_, C_ }) => {
    expect(signBlinded(bytes(privateKey), B_)).toBe(C_);
  },
);

it("hashes the points of a DLEQ as NUT-12 says", () => {
  expect(toHex(hashE(vectors.dleq.hashE.points.map(bytes)))).toBe(vectors.dleq.hashE.hash);
});

it("proves its signature with the nonce that NUT-12 derives, the same each time", () => {
  const { a, A, B_, C_, e, s } = vectors.dleq.deterministic;
  expect(publicKeyOf(bytes(a))).toBe(A);
  expect(signWithProof(bytes(a), B_)).toEqual({ C_, e, s });
  expect(verifyProof(A, B_, { C_, e, s })).toBe(true);
});

it("takes a genuine DLEQ, and none that was made for another key or message", () => {
  const { A, B_, C_, e, s } = vectors.dleq.blindSignature;
  expect(verifyProof(A, B_, { C_, e, s })).toBe(true);
  expect(verifyProof(vectors.dleq.deterministic.A, B_, { C_, e, s })).toBe(false);
  expect(verifyProof(A, B_, { C_, e, s: e })).toBe(false);
});

it("knows a coin of its own, and neither another secret's nor another key's", () => {
  const key = Buffer.alloc(32, 7);
  const C = signBlinded(key, toHex(hashToCurve(Buffer.from("secret"))));
  expect(verifyCoin(key, "secret", C)).toMatchObject({
    genuine: true,
    y: toHex(hashToCurve(Buffer.from("secret"))),
  });
  expect(verifyCoin(key, "other", C).genuine).toBe(false);
  expect(verifyCoin(Buffer.alloc(32, 8), "secret", C).genuine).toBe(false);
});

it("verifies BIP-340 signatures as the reference does, and answers false to rubbish", () => {
  for (let round = 1; round <= 20; round++) {
    const key = Buffer.alloc(32, round);
    const digest = Buffer.alloc(32, 255 - round);
    const signature = toHex(schnorr.sign(digest, key));
    expect(verifySchnorr(signature, digest, publicKeyOf(key))).toBe(true);
    expect(verifySchnorr(signature, Buffer.alloc(32, 1), publicKeyOf(key))).toBe(false);
    expect(verifySchnorr(signature, digest, publicKeyOf(Buffer.alloc(32, round + 1)))).toBe(false);
    expect(verifySchnorr(`${"00".repeat(32)}${signature.slice(64)}`, digest, publicKeyOf(key))).toBe(false);
  }
  expect(verifySchnorr("ff".repeat(64), Buffer.alloc(32), `02${"ff".repeat(32)}`)).toBe(false);
});

it("tells a point from what only looks like one", () => {
  expect(isPoint(vectors.blindSignatures[0]?.B_ ?? "")).toBe(true);
  expect(isPoint(`02${"ff".repeat(32)}`)).toBe(false);
});
