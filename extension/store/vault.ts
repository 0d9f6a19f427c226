/**
 * The key under which the rows are sealed, and what keeps it.
 *
 * Without a passphrase it lies in the vault's row under a key of this device (`device-key.ts`): who copies the whole profile
 * and runs it has the wallet. With a passphrase the row key lies under a key derived from
 * that (PBKDF2), and nothing on the disk opens it; while the wallet is unlocked it stands in the session's storage, which
 * is memory, because the background dies and comes back at any moment.
 */
import * as v from "valibot";
import { type Bytes, fromHex, toHex, utf8 } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { makeDeviceKey, openUnder, sealedFields, sealUnder } from "./device-key.ts";
import { ROW_KEY_BYTES } from "./sealed-rows.ts";

/** The one row of the table `vault`, and the only one that is not sealed. */
export const VAULT_KEY = "vault";
/** OWASP's figure for PBKDF2 with HMAC-SHA-256. */
const ITERATIONS = 600_000;
/** More than any that we ever wrote; a row that asks for more would only burn time. */
const MAX_ITERATIONS = 10_000_000;
const SALT_BYTES = 16;
const STORED_AS = "row-key";

export const VaultRow = v.variant("by", [
  v.object({
    key: v.literal(VAULT_KEY),
    by: v.literal("device"),
    deviceKey: v.instance(CryptoKey),
    ...sealedFields,
  }),
  v.object({
    key: v.literal(VAULT_KEY),
    by: v.literal("passphrase"),
    salt: v.instance(Uint8Array),
    iterations: v.pipe(v.number(), v.integer(), v.maxValue(MAX_ITERATIONS)),
    lockAfterMinutes: v.number(),
    ...sealedFields,
  }),
]);
export type VaultRow = v.InferOutput<typeof VaultRow>;

/** What lasts as long as the browser runs, in memory. */
export interface SessionPort {
  read(name: string): Promise<unknown>;
  write(name: string, value: unknown): Promise<void>;
}

export interface Passphrase {
  readonly passphrase: string;
  /** Without use for so long, the wallet locks itself. */
  readonly lockAfterMinutes: number;
}

export function makeRowKey(): Bytes {
  return crypto.getRandomValues(new Uint8Array(ROW_KEY_BYTES));
}

export async function wrapByDevice(rowKey: Bytes): Promise<VaultRow> {
  const deviceKey = await makeDeviceKey();
  return { key: VAULT_KEY, by: "device", deviceKey, ...(await sealUnder(deviceKey, rowKey)) };
}

export async function wrapByPassphrase(
  rowKey: Bytes,
  { passphrase, lockAfterMinutes }: Passphrase,
): Promise<VaultRow> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const key = await derive(passphrase, salt, ITERATIONS);
  return {
    key: VAULT_KEY,
    by: "passphrase",
    salt,
    iterations: ITERATIONS,
    lockAfterMinutes,
    ...(await sealUnder(key, rowKey)),
  };
}

/** @throws TuppenceError wallet_locked where it takes a passphrase that was not given in this session */
export async function unwrap(row: VaultRow, session: SessionPort): Promise<Bytes> {
  if (row.by === "device") return openUnder(row.deviceKey, row);
  const kept = await session.read(STORED_AS);
  if (typeof kept !== "string" || kept === "") throw new TuppenceError("wallet_locked");
  return fromHex(kept);
}

/** @throws TuppenceError passphrase_wrong */
export async function unwrapByPassphrase(row: VaultRow, passphrase: string): Promise<Bytes> {
  if (row.by !== "passphrase") throw new TuppenceError("passphrase_wrong");
  const key = await derive(passphrase, row.salt, row.iterations);
  return openUnder(key, row).catch(() => {
    throw new TuppenceError("passphrase_wrong");
  });
}

/** Keeps the row key for the background's next start, or forgets it. */
export async function keepForSession(session: SessionPort, rowKey: Bytes | undefined): Promise<void> {
  await session.write(STORED_AS, rowKey === undefined ? "" : toHex(rowKey));
}

async function derive(passphrase: string, salt: Uint8Array, iterations: number): Promise<CryptoKey> {
  // Typed on another keyboard, the same letters may be other code points.
  const typed = utf8(passphrase.normalize("NFKC"));
  const base = await crypto.subtle.importKey("raw", typed, "PBKDF2", false, ["deriveKey"]);
  return crypto.subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-256", salt: new Uint8Array(salt), iterations },
    base,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}
