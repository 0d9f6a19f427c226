import type { webcrypto } from "node:crypto";
import { describe, expect, it } from "vitest";
import { seededRandom } from "./random.ts";
import { createWebCrypto } from "./webcrypto.ts";

const { subtle: ours } = createWebCrypto(() => seededRandom(1, "crypto"));
const platform = crypto.subtle;
const random = seededRandom(2, "values");
const bytes = (count: number) => random.bytes(count);
const PKCS8_ED25519 = Uint8Array.from(Buffer.from("302e020100300506032b657004220420", "hex"));
const PKCS8_X25519 = Uint8Array.from(Buffer.from("302e020100300506032b656e04220420", "hex"));
const hex = (data: ArrayBuffer) => Buffer.from(data).toString("hex");
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

describe("the simulation's cryptography is the platform's:", () => {
  it("hashes", async () => {
    const data = bytes(100);
    expect(hex(await ours.digest("SHA-256", data))).toBe(hex(await platform.digest("SHA-256", data)));
  });
  it("HKDF, HMAC and PBKDF2", async () => {
    const secret = bytes(32);
    const derive = {
      name: "HKDF",
      hash: "SHA-256",
      salt: bytes(16),
      info: new TextEncoder().encode("tuppence test"),
    } as const;
    const [a, b] = [
      await ours.importKey("raw", secret, "HKDF", false, ["deriveBits"]),
      await platform.importKey("raw", secret, "HKDF", false, ["deriveBits"]),
    ];
    expect(hex(await ours.deriveBits(derive, a, 512))).toBe(hex(await platform.deriveBits(derive, b, 512)));

    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const data = bytes(70);
    const [c, d] = [
      await ours.importKey("raw", secret, algorithm, false, ["sign"]),
      await platform.importKey("raw", secret, algorithm, false, ["sign"]),
    ];
    expect(hex(await ours.sign("HMAC", c, data))).toBe(hex(await platform.sign("HMAC", d, data)));

    const stretch = { name: "PBKDF2", hash: "SHA-512", salt: bytes(12), iterations: 20 } as const;
    const [e, f] = [
      await ours.importKey("raw", secret, "PBKDF2", false, ["deriveBits"]),
      await platform.importKey("raw", secret, "PBKDF2", false, ["deriveBits"]),
    ];
    expect(hex(await ours.deriveBits(stretch, e, 512))).toBe(hex(await platform.deriveBits(stretch, f, 512)));
  });
  it("Ed25519, from either form of a key", async () => {
    const pkcs8 = joined(PKCS8_ED25519, bytes(32));
    const data = bytes(200);
    const [a, b] = [
      await ours.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]),
      await platform.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]),
    ];
    const signature = await ours.sign("Ed25519", a, data);
    expect(hex(signature)).toBe(hex(await platform.sign("Ed25519", b, data)));
    const jwk = await ours.exportKey("jwk", a);
    expect(jwk).toMatchObject({ x: (await platform.exportKey("jwk", b)).x });
    const { x } = await platform.exportKey("jwk", b);
    const publicKey = await ours.importKey(
      "jwk",
      { kty: "OKP", crv: "Ed25519", x: x ?? "" },
      "Ed25519",
      true,
      ["verify"],
    );
    expect(await ours.verify("Ed25519", publicKey, signature, data)).toBe(true);
    expect(await ours.verify("Ed25519", publicKey, signature, bytes(200))).toBe(false);
  });
  it("X25519 and AES-GCM, altered bytes refused", async () => {
    const [one, two] = [joined(PKCS8_X25519, bytes(32)), joined(PKCS8_X25519, bytes(32))];
    const share = async (
      subtle: typeof ours,
      mine: Uint8Array<ArrayBuffer>,
      theirs: Uint8Array<ArrayBuffer>,
    ) => {
      const key = await subtle.importKey("pkcs8", mine, "X25519", true, ["deriveBits"]);
      const other = await subtle.importKey("pkcs8", theirs, "X25519", true, ["deriveBits"]);
      const { x } = await exported(subtle, other);
      const raw = Uint8Array.from(Buffer.from(x ?? "", "base64url"));
      const publicKey = await subtle.importKey("raw", raw, "X25519", true, []);
      return hex(await subtle.deriveBits({ name: "X25519", public: publicKey }, key, 256));
    };
    const shared = await share(ours, one, two);
    expect(await share(ours, two, one)).toBe(shared);
    const key = await platform.importKey("pkcs8", one, "X25519", true, ["deriveBits"]);
    const { x } = await platform.exportKey(
      "jwk",
      await platform.importKey("pkcs8", two, "X25519", true, ["deriveBits"]),
    );
    const publicKey = await platform.importKey(
      "jwk",
      { kty: "OKP", crv: "X25519", x: x ?? "" },
      "X25519",
      true,
      [],
    );
    expect(hex(await platform.deriveBits({ name: "X25519", public: publicKey }, key, 256))).toBe(shared);

    const secret = bytes(32);
    const algorithm = { name: "AES-GCM", iv: bytes(12), additionalData: bytes(20) } as const;
    const data = bytes(300);
    const [a, b] = [
      await ours.importKey("raw", secret, "AES-GCM", false, ["encrypt", "decrypt"]),
      await platform.importKey("raw", secret, "AES-GCM", false, ["encrypt", "decrypt"]),
    ];
    const sealed = await ours.encrypt(algorithm, a, data);
    expect(hex(sealed)).toBe(hex(await platform.encrypt(algorithm, b, data)));
    expect(hex(await ours.decrypt(algorithm, a, sealed))).toBe(hex(data.buffer));
    const altered = new Uint8Array(sealed);
    altered[5] = (altered[5] ?? 0) ^ 1;
    await expect(ours.decrypt(algorithm, a, altered)).rejects.toThrow();
  });
});

async function exported(subtle: typeof ours, key: webcrypto.CryptoKey): Promise<{ readonly x?: string }> {
  const jwk = await subtle.exportKey("jwk", key);
  return "x" in jwk && typeof jwk.x === "string" ? { x: jwk.x } : {};
}
