/**
 * Keysets: every coin key derives from the mint's master secret and the keyset's number, so that the secret alone
 * restores them all. `keysets.json` is the public, append-only list of what was ever used; the last is active.
 */
import { createHash, createHmac } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import * as v from "valibot";
import { DENOMINATIONS, type Micros } from "../../shared/money.ts";
import { keysetId, seconds } from "../../shared/protocol/fields.ts";
import { ConfigError } from "../config.ts";
import { isPrivateKey, publicKeyOf } from "./curve.ts";

export interface Keyset {
  readonly id: string;
  readonly unit: string;
  readonly active: boolean;
  readonly since: number;
  /** Compressed points by amount. */
  readonly publicKeys: ReadonlyMap<Micros, string>;
  readonly privateKeys: ReadonlyMap<Micros, Uint8Array>;
}

const LogFile = v.array(
  v.object({
    number: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    id: keysetId,
    unit: v.string(),
    since: seconds,
  }),
);

export interface KeysetOptions {
  readonly masterSecret: Uint8Array;
  readonly unit: string;
  readonly path: string;
  readonly nowSeconds: number;
}

/**
 * Oldest first; the first start makes the first one.
 * @throws ConfigError where the list and the secret are not of each other: signing on would make coins nobody redeems
 */
export function openKeysets({ masterSecret, unit, path, nowSeconds }: KeysetOptions): Keyset[] {
  const log = readLog(path) ?? [];
  if (log.length === 0) {
    log.push({ number: 0, id: deriveKeyset(masterSecret, 0, unit).id, unit, since: nowSeconds });
    writeFileSync(`${path}.draft`, `${JSON.stringify(log, null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(`${path}.draft`, path);
  }
  return log.map((entry, index) => {
    const derived = deriveKeyset(masterSecret, entry.number, entry.unit);
    if (derived.id !== entry.id) {
      throw new ConfigError(
        `${path} lists the keyset ${entry.id}, which the mint's secret does not make; put back the secret and the list that belong together, from one backup.`,
      );
    }
    if (entry.unit !== unit)
      throw new ConfigError(
        `TUPPENCE_CURRENCY is of the unit ${unit}, but ${path} lists coins of ${entry.unit}; use another data folder for another currency.`,
      );
    return { ...derived, unit: entry.unit, since: entry.since, active: index === log.length - 1 };
  });
}

function readLog(path: string): v.InferOutput<typeof LogFile> | undefined {
  if (!existsSync(path)) return undefined;
  const parsed = v.safeParse(LogFile, JSON.parse(readFileSync(path, "utf8")));
  if (!parsed.success)
    throw new ConfigError(`${path} is not a list of keysets; put the file back from a backup.`);
  return parsed.output;
}

function deriveKeyset(
  masterSecret: Uint8Array,
  number: number,
  unit: string,
): Pick<Keyset, "id" | "publicKeys" | "privateKeys"> {
  const privateKeys = new Map(
    DENOMINATIONS.map((amount) => [amount, deriveKey(masterSecret, number, unit, amount)]),
  );
  const publicKeys = new Map([...privateKeys].map(([amount, key]) => [amount, publicKeyOf(key)]));
  const keys = Object.fromEntries([...publicKeys].map(([amount, key]) => [amount.toString(), key]));
  return { id: keysetIdVersion2({ keys, unit }), publicKeys, privateKeys };
}

function deriveKey(masterSecret: Uint8Array, number: number, unit: string, amount: Micros): Uint8Array {
  const key = createHmac("sha256", masterSecret)
    .update(`tuppence coin key v1|${unit}|${number}|${amount}`)
    .digest();
  if (!isPrivateKey(key)) throw new Error("the one in 2^127 happened: use another master secret");
  return key;
}

export interface KeysetTerms {
  readonly keys: Readonly<Record<string, string>>;
  readonly unit: string;
  readonly inputFeePpk?: number;
  /** Seconds since 1970. */
  readonly finalExpiry?: number;
}

/** NUT-02, version 2: `01` and SHA-256 of the keys by amount, the unit, and fee and expiry where there are any. */
export function keysetIdVersion2({ keys, unit, inputFeePpk, finalExpiry }: KeysetTerms): string {
  const list = byAmount(keys).map(([amount, key]) => `${amount}:${key}`);
  const terms = `${list.join(",")}|unit:${unit}${inputFeePpk ? `|input_fee_ppk:${inputFeePpk}` : ""}${finalExpiry ? `|final_expiry:${finalExpiry}` : ""}`;
  return `01${createHash("sha256").update(terms, "utf8").digest("hex")}`;
}

/** NUT-02, version 1, which older keysets have: `00` and the first 7 bytes of SHA-256 of the keys by amount. */
export function keysetIdVersion1(keys: Readonly<Record<string, string>>): string {
  const hash = createHash("sha256");
  for (const [, key] of byAmount(keys)) hash.update(Buffer.from(key, "hex"));
  return `00${hash.digest("hex").slice(0, 14)}`;
}

function byAmount(keys: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(keys).sort(([a], [b]) => (BigInt(a) < BigInt(b) ? -1 : 1));
}
