/**
 * Rows as they lie on the disk: each sealed by itself with XChaCha20-Poly1305, its keys and what it is looked up by replaced
 * by keyed hashes (HMAC-SHA-256, cut to 128 bits). In clear stand only the fields of `CLEAR`, which say in what state
 * something is, and when it began, but not what it is. Whoever reads the disk learns how many rows there are, and when.
 *
 * The cipher is one in JavaScript because it has to answer at once: a browser's transaction ends by itself while
 * WebCrypto is awaited. The key itself is kept by WebCrypto (`vault.ts`).
 *
 * Hashes and opened rows are remembered for a while: a page of ours reads the same ones whenever it is opened, and a browser
 * forgets between two openings how to do this arithmetic fast.
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { toHex, utf8 } from "../../shared/bytes.ts";
import { parseRow, rowText } from "../../shared/row-text.ts";
import { rememberRecent } from "./recent.ts";

export const ROW_KEY_BYTES = 32;
/** Few values, each of many rows: a state, and the moment by which rows are put in order. */
const CLEAR = ["state", "change", "at"];
const NONCE_BYTES = 24;
const HASH_BYTES = 16;
/** Of Poly1305. */
const TAG_BYTES = 16;
/** In characters: more than is read whenever a page of ours is opened, with a thousand coins and a year at many sites. */
const REMEMBERED_ROWS = 2_000_000;
const REMEMBERED_HASHES = 500_000;

/** What a table is looked up by, as its schema says it. */
export interface TableIndexes {
  readonly table: string;
  readonly key: string;
  readonly indexes: readonly string[];
}

/** A row on the disk: its key and its indexes under their own names, and the row itself. */
export type StoredRow = Readonly<Record<string, unknown>>;

export interface RowSealer {
  seal(of: TableIndexes, row: object): StoredRow;
  /** @throws Error if it was changed, or sealed for another place or under another key */
  open(of: TableIndexes, stored: StoredRow): unknown;
  /** What stands on the disk for this value. */
  indexed(table: string, index: string, value: unknown): IDBValidKey;
}

/** Rows as the first version wrote them: for what happens before they are sealed. */
export const PLAIN_ROWS: RowSealer = {
  seal: (_of, row) => row as StoredRow,
  open: (_of, stored) => stored,
  indexed: (_table, _index, value) => value as IDBValidKey,
};

/** @param rowKey 32 bytes */
export function createRowSealer(rowKey: Uint8Array): RowSealer {
  const keyFor = (use: string): Uint8Array =>
    hkdf(sha256, rowKey, undefined, utf8(`tuppence store ${use} v1`), ROW_KEY_BYTES);
  const sealKey = keyFor("seal rows");
  const hashKey = keyFor("hash indexes");

  const rememberedHash = rememberRecent(REMEMBERED_HASHES);
  const rememberedText = rememberRecent(REMEMBERED_ROWS);

  const indexed = (table: string, index: string, value: unknown): IDBValidKey => {
    if (CLEAR.includes(index)) return value as IDBValidKey;
    const named = JSON.stringify([table, index, value]);
    return rememberedHash(named, () => toHex(hmac(sha256, hashKey, utf8(named)).subarray(0, HASH_BYTES)));
  };
  const cipher = (nonce: Uint8Array, place: string) => xchacha20poly1305(sealKey, nonce, utf8(place));

  return {
    indexed,
    seal: (of, row) => {
      const stored: Record<string, unknown> = {};
      for (const name of [of.key, ...of.indexes]) {
        const value = (row as StoredRow)[name];
        if (value !== undefined) stored[name] = indexed(of.table, name, value);
      }
      const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      const text = utf8(rowText(row));
      const sealed = new Uint8Array(NONCE_BYTES + text.length + TAG_BYTES);
      sealed.set(nonce);
      cipher(nonce, placeOf(of, stored)).encrypt(text, sealed.subarray(NONCE_BYTES));
      return { ...stored, sealed };
    },
    open: (of, stored) => {
      const { sealed } = stored;
      if (!(sealed instanceof Uint8Array)) throw new Error(`a row of ${of.table} is not sealed`);
      const nonce = sealed.subarray(0, NONCE_BYTES);
      const place = placeOf(of, stored);
      // The tag vouches for the rest. A row whose other bytes were changed since is read as it was sealed.
      const seal = String.fromCharCode(...nonce, ...sealed.subarray(-TAG_BYTES));
      const text = rememberedText(`${seal}${place}`, () =>
        new TextDecoder().decode(cipher(nonce, place).decrypt(sealed.subarray(NONCE_BYTES))),
      );
      return parseRow(text);
    },
  };
}

/** What a row is bound to: its table, its key and its indexes. */
function placeOf({ table, key, indexes }: TableIndexes, stored: StoredRow): string {
  return JSON.stringify([table, ...[key, ...indexes].map((name) => stored[name] ?? null)]);
}
