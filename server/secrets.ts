/**
 * What only this provider may know, one file each under `<data>/secrets`, made at the first start and readable by
 * the owner alone. Losing the mint's secret makes every coin worthless: back the folder up.
 */
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bytes, fromHex, toHex } from "../shared/bytes.ts";
import { importSealingKey } from "../shared/hpke.ts";
import { type SigningKey, signingKeyFromSeed, thumbprintOf } from "../shared/jws.ts";
import type { X25519PublicJwk } from "../shared/protocol/provider.ts";
import { ConfigError } from "./config.ts";

export interface Secrets {
  /** All coin keys derive from it. */
  readonly mintMaster: Bytes;
  /** Signs receipts and merchant records. */
  readonly signingKey: SigningKey;
  readonly signingKeyId: string;
  /** Opens sealed payments and content keys. */
  readonly sealingKey: CryptoKey;
  readonly sealingPublicKey: X25519PublicJwk;
  /** Shared with the sandbox gateway, which signs its events with it. */
  readonly gatewaySecret: Bytes;
  /** Authenticates quotes that are handed out and not stored. */
  readonly quoteSecret: Bytes;
  /** Makes the words by which merchants prove their sites. */
  readonly siteProofSecret: Bytes;
  /** What the operator's tools send as `Authorization: Bearer`. */
  readonly adminToken: string;
}

const SECRET_BYTES = 32;
export const SECRETS_FOLDER = "secrets";

/** Reads them, and makes those that are missing. Two processes that start at once agree on the same ones. */
export async function openSecrets(dataFolder: string, random: (length: number) => Bytes): Promise<Secrets> {
  const folder = join(dataFolder, SECRETS_FOLDER);
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  chmodSync(dataFolder, 0o700);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const secret = (name: string) => readOrMake(join(folder, name), random);

  const signingKey = await signingKeyFromSeed(secret("receipt-signing-key"));
  const sealing = secret("sealing-key");
  return {
    mintMaster: secret("mint-master-secret"),
    signingKey,
    signingKeyId: await thumbprintOf(signingKey.publicJwk),
    sealingKey: await importSealingKey(sealing),
    sealingPublicKey: await sealingPublicKeyOf(sealing),
    gatewaySecret: secret("gateway-secret"),
    quoteSecret: secret("quote-secret"),
    siteProofSecret: secret("site-proof-secret"),
    adminToken: toHex(secret("admin-token")),
  };
}

function readOrMake(path: string, random: (length: number) => Bytes): Bytes {
  return read(path) ?? make(path, random);
}

function read(path: string): Bytes | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  if (!new RegExp(`^[0-9a-f]{${2 * SECRET_BYTES}}$`).test(text)) {
    throw new ConfigError(
      `${path} does not hold ${SECRET_BYTES} bytes in hex; put the file back from a backup.`,
    );
  }
  return fromHex(text);
}

/** Written beside its place and then linked there, so that nobody ever reads half of it and nobody overwrites. */
function make(path: string, random: (length: number) => Bytes): Bytes {
  const draft = `${path}.${toHex(random(8))}`;
  writeFileSync(draft, `${toHex(random(SECRET_BYTES))}\n`, { mode: 0o600, flag: "wx", flush: true });
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
  } finally {
    rmSync(draft);
  }
  const made = read(path);
  if (!made) throw new Error(`${path} vanished while it was made`);
  return made;
}

/** RFC 8410: the DER that stands before the 32 bytes of an X25519 private key. */
const PKCS8_X25519_PREFIX = [
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20,
];

async function sealingPublicKeyOf(privateKey: Bytes): Promise<X25519PublicJwk> {
  const key = await crypto.subtle.importKey(
    "pkcs8",
    new Uint8Array([...PKCS8_X25519_PREFIX, ...privateKey]),
    "X25519",
    true,
    ["deriveBits"],
  );
  const { x } = await crypto.subtle.exportKey("jwk", key);
  if (x === undefined) throw new Error("an X25519 key has a public half");
  return { kty: "OKP", crv: "X25519", x };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function isAlreadyThere(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}
