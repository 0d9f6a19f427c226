/**
 * WebCrypto without its threads. The platform's own resolves its promises in whatever order a pool of threads is done,
 * so that two runs of one seed would differ. This one computes the same at once, with `node:crypto`, and draws from the
 * seed where chance is needed. It knows what Tuppence and its libraries ask for, and throws at anything else;
 * `webcrypto.test.ts` compares it with the platform's.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
  pbkdf2Sync,
  sign,
  timingSafeEqual,
  verify,
  type webcrypto,
} from "node:crypto";
import type { Random } from "./random.ts";

const GCM_TAG_BYTES = 16;
/** RFC 8410: the DER that stands before the 32 bytes of an X25519 private key. */
const PKCS8_X25519_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");

type Algorithm = string | { readonly name: string; readonly hash?: string | { readonly name: string } };
type Data = ArrayBuffer | ArrayBufferView;
type CryptoKey = webcrypto.CryptoKey;
type Usages = webcrypto.KeyUsage[];

/** The platform hands a key's object out only where the key may leave it, which few may. */
const objects = new WeakMap<CryptoKey, KeyObject>();

function keep(object: KeyObject, algorithm: Algorithm, extractable: boolean, usages: Usages): CryptoKey {
  const key = object.toCryptoKey(algorithm, extractable, usages);
  objects.set(key, object);
  return key;
}

function objectOf(key: CryptoKey): KeyObject {
  const object = objects.get(key);
  if (!object) throw new Error("a key that was not made here");
  return object;
}

export function createWebCrypto(random: () => Random) {
  const subtle = {
    digest: async (algorithm: Algorithm, data: Data) =>
      bufferOf(createHash(nodeHash(algorithm)).update(bytesOf(data)).digest()),

    importKey: async (
      format: string,
      data: Data | JsonWebKey,
      algorithm: Algorithm,
      extractable: boolean,
      usages: Usages,
    ) => {
      const name = nameOf(algorithm);
      const object = importOnce(format, data, name);
      return keep(
        object,
        name === "HMAC" ? { name, hash: hashOf(algorithm) } : { name },
        extractable,
        usages,
      );
    },

    exportKey: async (format: string, key: CryptoKey) => {
      const object = objectOf(key);
      if (format === "jwk")
        return { ...object.export({ format: "jwk" }), ext: key.extractable, key_ops: key.usages };
      if (format === "raw" && object.type === "public")
        return bufferOf(Buffer.from(object.export({ format: "jwk" }).x ?? "", "base64url"));
      if (format === "pkcs8") return bufferOf(object.export({ format: "der", type: "pkcs8" }));
      throw new Error(`the simulation exports no ${object.type} key as ${format}`);
    },

    generateKey: async (algorithm: Algorithm, extractable: boolean, usages: Usages) => {
      const name = nameOf(algorithm);
      if (name !== "X25519") throw new Error(`the simulation makes no key for ${name}`);
      const der = Buffer.concat([PKCS8_X25519_PREFIX, random().bytes(32)]);
      const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
      return {
        privateKey: keep(privateKey, { name }, extractable, usages),
        publicKey: keep(createPublicKey(privateKey), { name }, true, []),
      };
    },

    sign: async (algorithm: Algorithm, key: CryptoKey, data: Data) =>
      bufferOf(signatureOf(nameOf(algorithm), key, bytesOf(data))),

    verify: async (algorithm: Algorithm, key: CryptoKey, signature: Data, data: Data) => {
      const name = nameOf(algorithm);
      if (name === "Ed25519") return verify(null, bytesOf(data), objectOf(key), bytesOf(signature));
      const expected = signatureOf(name, key, bytesOf(data));
      const given = bytesOf(signature);
      return expected.length === given.length && timingSafeEqual(expected, given);
    },

    deriveBits: async (algorithm: DeriveAlgorithm, key: CryptoKey, bits: number | null) => {
      const object = objectOf(key);
      const length = (bits ?? 256) / 8;
      switch (algorithm.name) {
        case "HKDF":
          return hkdfSync(
            nodeHash(algorithm.hash),
            object,
            bytesOf(algorithm.salt),
            bytesOf(algorithm.info),
            length,
          );
        case "PBKDF2":
          return bufferOf(
            pbkdf2Sync(
              object.export(),
              bytesOf(algorithm.salt),
              algorithm.iterations,
              length,
              nodeHash(algorithm.hash),
            ),
          );
        case "X25519":
          return bufferOf(diffieHellman({ privateKey: object, publicKey: objectOf(algorithm.public) }));
      }
    },

    encrypt: async (algorithm: GcmAlgorithm, key: CryptoKey, data: Data) => {
      const cipher = createCipheriv(gcmOf(key), objectOf(key), bytesOf(algorithm.iv));
      if (algorithm.additionalData) cipher.setAAD(bytesOf(algorithm.additionalData));
      return bufferOf(Buffer.concat([cipher.update(bytesOf(data)), cipher.final(), cipher.getAuthTag()]));
    },

    decrypt: async (algorithm: GcmAlgorithm, key: CryptoKey, data: Data) => {
      const bytes = bytesOf(data);
      const decipher = createDecipheriv(gcmOf(key), objectOf(key), bytesOf(algorithm.iv));
      if (algorithm.additionalData) decipher.setAAD(bytesOf(algorithm.additionalData));
      decipher.setAuthTag(bytes.subarray(bytes.length - GCM_TAG_BYTES));
      return bufferOf(Buffer.concat([decipher.update(bytes.subarray(0, -GCM_TAG_BYTES)), decipher.final()]));
    },
  };
  const getRandomValues = <T extends Uint8Array>(array: T): T => {
    array.set(random().bytes(array.length));
    return array;
  };
  return { subtle, getRandomValues };
}

type DeriveAlgorithm =
  | { readonly name: "HKDF"; readonly hash: Algorithm; readonly salt: Data; readonly info: Data }
  | { readonly name: "PBKDF2"; readonly hash: Algorithm; readonly salt: Data; readonly iterations: number }
  | { readonly name: "X25519"; readonly public: CryptoKey };

interface GcmAlgorithm {
  readonly name: "AES-GCM";
  readonly iv: Data;
  readonly additionalData?: Data;
}

/** Parsing a key costs as much as signing with it, and the same few are imported again for every token. */
const imported = new Map<string, KeyObject>();
const MAX_IMPORTED = 5_000;

function importOnce(format: string, data: Data | JsonWebKey, name: string): KeyObject {
  const content = isData(data) ? bytesOf(data).toString("latin1") : `${data.x} ${data.d}`;
  const key = `${format} ${name} ${content}`;
  const known = imported.get(key);
  if (known) return known;
  if (imported.size >= MAX_IMPORTED) imported.clear();
  const object = importObject(format, data, name);
  imported.set(key, object);
  return object;
}

function importObject(format: string, data: Data | JsonWebKey, name: string): KeyObject {
  const isCurve = name === "Ed25519" || name === "X25519";
  if (isCurve && format === "pkcs8" && isData(data))
    return createPrivateKey({ key: bytesOf(data), format: "der", type: "pkcs8" });
  if (isCurve && format === "raw" && isData(data))
    return createPublicKey({
      key: { kty: "OKP", crv: name, x: bytesOf(data).toString("base64url") },
      format: "jwk",
    });
  if (isCurve && format === "jwk" && !isData(data)) {
    const { kty, crv, x, d } = data;
    if (kty === undefined || crv === undefined || x === undefined) throw new Error("not a key of a curve");
    return d === undefined
      ? createPublicKey({ key: { kty, crv, x }, format: "jwk" })
      : createPrivateKey({ key: { kty, crv, x, d }, format: "jwk" });
  }
  if (!isCurve && format === "raw" && isData(data)) return createSecretKey(bytesOf(data));
  throw new Error(`the simulation imports no ${name} key as ${format}`);
}

function signatureOf(name: string, key: CryptoKey, data: Buffer): Buffer {
  const object = objectOf(key);
  if (name === "Ed25519") return sign(null, data, object);
  const { algorithm } = key;
  const hash = "hash" in algorithm ? algorithm.hash : undefined;
  if (name !== "HMAC" || !isNamed(hash)) throw new Error(`the simulation does not sign with ${name}`);
  return createHmac(nodeHash(hash.name), object).update(data).digest();
}

function isNamed(value: unknown): value is { readonly name: string } {
  return typeof value === "object" && value !== null && "name" in value && typeof value.name === "string";
}

function gcmOf(key: CryptoKey): "aes-256-gcm" | "aes-128-gcm" {
  return objectOf(key).symmetricKeySize === 32 ? "aes-256-gcm" : "aes-128-gcm";
}

function nameOf(algorithm: Algorithm): string {
  return typeof algorithm === "string" ? algorithm : algorithm.name;
}

function hashOf(algorithm: Algorithm): string {
  const hash = typeof algorithm === "string" ? undefined : algorithm.hash;
  return typeof hash === "string" ? hash : (hash?.name ?? "SHA-256");
}

/** `SHA-256` as OpenSSL calls it. */
function nodeHash(algorithm: Algorithm): string {
  return nameOf(algorithm).replace("-", "").toLowerCase();
}

function isData(value: Data | JsonWebKey): value is Data {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

function bytesOf(data: Data): Buffer {
  return data instanceof ArrayBuffer
    ? Buffer.from(data)
    : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** WebCrypto answers with array buffers that hold nothing else. */
function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
