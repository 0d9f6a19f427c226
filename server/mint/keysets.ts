/**
 * Keysets: every coin key derives from the mint's master secret and the keyset's number, so that the secret alone
 * restores them all. `keysets.json` is the public, append-only list of what was ever used; the last is active. Rotation
 * appends to it: what came before signs no more and is redeemed for ever.
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
  /** Seconds since 1970, like `endedAt`. */
  readonly since: number;
  /** When the next one took over; undefined while it is active. */
  readonly endedAt: number | undefined;
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
    writeLog(path, log, "w");
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
    const { unit: ownUnit, since } = entry;
    const endedAt = log[index + 1]?.since;
    return { ...derived, unit: ownUnit, since, endedAt, active: endedAt === undefined };
  });
}

/**
 * Appends a keyset, which is the active one from now on, for everyone. A provider that runs notices by itself.
 * @throws ConfigError where there is no list yet, or another rotation is under way
 */
export function rotateKeysets({ masterSecret, unit, path, nowSeconds }: KeysetOptions): string {
  const log = readLog(path);
  const last = log?.at(-1);
  if (!log || !last) throw new ConfigError(`${path} lists no keyset that could be followed by another.`);
  const number = last.number + 1;
  const { id } = deriveKeyset(masterSecret, number, unit);
  // Never before the one that it follows, whatever the clocks say.
  const since = Math.max(nowSeconds, last.since);
  try {
    writeLog(path, [...log, { number, id, unit, since }], "wx");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    throw new ConfigError(
      `${path}.draft is there: another rotation is under way. If it died, remove that file and try again.`,
    );
  }
  return id;
}

/** Written beside its place and then moved there, so that nobody reads half of it. */
function writeLog(path: string, log: v.InferOutput<typeof LogFile>, flag: "w" | "wx"): void {
  writeFileSync(`${path}.draft`, `${JSON.stringify(log, null, 2)}\n`, { mode: 0o600, flush: true, flag });
  renameSync(`${path}.draft`, path);
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
  // Bytes of its own, because a thread is sent all that lies under a view.
  return new Uint8Array(key);
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
