/**
 * A reader who updates: what the first version left in the browser, and the provider that it left it with, so that the coins
 * are real. How both were made stands in `first-version.wallet.json`; they are never made anew. Tests look at what a reader
 * sees of it, never at the rows, because later versions keep them in their own ways.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as v from "valibot";

const FIXTURES = join(import.meta.dirname, "..", "fixtures");

const Fixture = v.object({
  /** When the rows were read. */
  made: v.object({ version: v.string(), atMs: v.number() }),
  reader: v.object({ phrase: v.string() }),
  merchant: v.object({
    id: v.string(),
    origin: v.string(),
    sealKeySeedHex: v.string(),
    /** An article that the reader bought, as it stood on the site then. */
    page: v.object({ path: v.string(), html: v.string() }),
  }),
  provider: v.object({
    origin: v.string(),
    accountsOrigin: v.string(),
    files: v.record(v.string(), v.string()),
  }),
  indexedDb: v.object({
    version: v.number(),
    stores: v.record(
      v.string(),
      v.object({
        keyPath: v.string(),
        indices: v.array(v.object({ name: v.string(), keyPath: v.string() })),
        rows: v.array(v.unknown()),
      }),
    ),
  }),
});
export type StoredDatabase = v.InferOutput<typeof Fixture>["indexedDb"];

export const FIRST_VERSION = v.parse(
  Fixture,
  JSON.parse(readFileSync(join(FIXTURES, "first-version.wallet.json"), "utf8")),
);

/**
 * What the reader has when everything that was under way has come to its end: $10 were topped up; $2.50, 2¢, 10¢, 5¢, 2¢
 * and the 5¢ of the lost answer were paid. What was handed to the Gazette never reached the provider.
 */
export const TOPPED_UP = 10_000_000n;
export const PAID_IN_ALL = 2_740_000n;

/** By title, newest first: where each payment stands after the update. */
export const PAYMENTS_THEN = [
  ["The lost answer", "50000", "paid"],
  ["Fog", "20000", "failed"],
  ["The buried river", "20000", "paid"],
  ["Tide mills", "50000", "paid"],
  ["Read in private", "100000", "paid"],
  ["Coming back", "50000", "refunded"],
  ["The lens", "50000", "refunded"],
  ["The last ferry", "20000", "paid"],
  ["About", "2500000", "paid"],
] as const;

/** Puts the provider's data into an empty folder. */
export function restoreProviderData(folder: string): void {
  for (const [name, content] of Object.entries(FIRST_VERSION.provider.files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content, { mode: 0o600 });
  }
  const database = new DatabaseSync(join(folder, "tuppence.sqlite"));
  try {
    database.exec(readFileSync(join(FIXTURES, "first-version.wallet-provider.sqlite.sql"), "utf8"));
  } finally {
    database.close();
  }
}

/**
 * Deletes the database of that name and makes it again as the first version left it, so much later. Uses nothing from
 * outside of itself, so that a page of the extension can run it, too.
 */
export async function putFirstVersion({
  name,
  stored,
  laterMs,
}: {
  readonly name: string;
  readonly stored: StoredDatabase;
  readonly laterMs: number;
}): Promise<void> {
  const times = ["at", "createdAt", "expiresAt", "fetchedAt", "lastAt", "until"];
  const revive = (value: unknown, key = ""): unknown => {
    if (typeof value === "number" && times.includes(key)) return value + laterMs;
    if (Array.isArray(value)) return value.map((inner) => revive(inner));
    if (typeof value !== "object" || value === null) return value;
    if ("$bigint" in value) return BigInt(String(value.$bigint));
    if ("$undefined" in value) return undefined;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, revive(inner, name)]));
  };
  const done = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  await done(indexedDB.deleteDatabase(name));
  const opening = indexedDB.open(name, stored.version);
  opening.onupgradeneeded = () => {
    for (const [store, { keyPath, indices }] of Object.entries(stored.stores)) {
      const made = opening.result.createObjectStore(store, { keyPath });
      for (const index of indices) made.createIndex(index.name, index.keyPath);
    }
  };
  const database = await done(opening);
  const writing = database.transaction(Object.keys(stored.stores), "readwrite");
  for (const [store, { rows }] of Object.entries(stored.stores))
    for (const row of rows) writing.objectStore(store).put(revive(row));
  await new Promise<void>((resolve, reject) => {
    writing.oncomplete = () => resolve();
    writing.onabort = () => reject(writing.error);
  });
  database.close();
}
