/**
 * What only this provider may know, one file each under `<data>/secrets`, made at the first start and readable by
 * the owner alone. Losing the mint's secret makes every coin worthless: back the folder up.
 */
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Bytes, fromHex, toHex } from "../shared/bytes.ts";
import { importSealingKey } from "../shared/hpke.ts";
import { type SigningKey, signingKeyFromSeed, thumbprintOf } from "../shared/jws.ts";
import type { X25519PublicJwk } from "../shared/protocol/provider.ts";
import { ConfigError, type Mode } from "./config.ts";

export interface Secrets {
  /** All coin keys derive from it. */
  readonly mintMaster: Bytes;
  /** Signs receipts and merchant records. */
  readonly signingKey: SigningKey;
  readonly signingKeyId: string;
  /** Opens sealed payments and content keys. */
  readonly sealingKey: CryptoKeyPair;
  readonly sealingPublicKey: X25519PublicJwk;
  /** Shared with the sandbox gateway, which signs its events with it. */
  readonly gatewaySecret: Bytes;
  /** Authenticates quotes that are handed out and not stored. */
  readonly quoteSecret: Bytes;
  /** Makes the words by which merchants prove their sites. */
  readonly siteProofSecret: Bytes;
  /** The secrets of merchants' webhooks derive from it. */
  readonly webhookSecret: Bytes;
  /** What the operator's tools send as `Authorization: Bearer`. */
  readonly adminToken: string;
}

const SECRET_BYTES = 32;
export const SECRETS_FOLDER = "secrets";
/** Among the secrets, so that it goes with them into a backup: no secret itself, but it says what they are for. */
const MODE_FILE = "mode";

/**
 * Reads them, and makes those that are missing. Two processes that start at once agree on the same ones.
 *
 * @throws ConfigError also where they are those of the other mode: its coins would be taken, and its receipts believed
 */
export async function openSecrets(
  dataFolder: string,
  random: (length: number) => Bytes,
  mode: Mode = "live",
): Promise<Secrets> {
  const folder = join(dataFolder, SECRETS_FOLDER);
  // What was there before there were modes is live.
  const isOlder = existsSync(join(folder, "mint-master-secret")) && !existsSync(join(folder, MODE_FILE));
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  chmodSync(dataFolder, 0o700);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const modeBefore = rememberMode(join(folder, MODE_FILE), isOlder ? "live" : mode, random);
  if (modeBefore !== mode)
    throw new ConfigError(
      `TUPPENCE_DATA is ${dataFolder}, which belongs to a provider in ${modeBefore} mode, and TUPPENCE_MODE is ${mode}; the two share nothing, so name another folder: .tuppence-${mode}, for example.`,
    );
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
    webhookSecret: secret("webhook-secret"),
    adminToken: toHex(secret("admin-token")),
  };
}

/** As it was remembered before, or is now. */
function rememberMode(path: string, mode: Mode, random: (length: number) => Bytes): Mode {
  if (!existsSync(path)) writeOnce(path, `${mode}\n`, random);
  const text = readFileSync(path, "utf8").trim();
  if (text === "live" || text === "test") return text;
  throw new ConfigError(`${path} says neither live nor test; put the file back from a backup.`);
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

function make(path: string, random: (length: number) => Bytes): Bytes {
  writeOnce(path, `${toHex(random(SECRET_BYTES))}\n`, random);
  const made = read(path);
  if (!made) throw new Error(`${path} vanished while it was made`);
  return made;
}

/** Written beside its place and then linked there, so that nobody ever reads half of it and nobody overwrites. */
function writeOnce(path: string, text: string, random: (length: number) => Bytes): void {
  const draft = `${path}.${toHex(random(8))}`;
  writeFileSync(draft, text, { mode: 0o600, flag: "wx", flush: true });
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
  } finally {
    rmSync(draft);
  }
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
