/**
 * The rows of the wallet's own store, read and written behind its back. They lie there sealed, so a page of the extension
 * opens the key of this device, as the wallet itself does, and the cipher is the wallet's own.
 */
import * as v from "valibot";
import { createRowSealer, type RowSealer, type TableIndexes } from "../../extension/store/sealed-rows.ts";
import type { Extension } from "./extension.ts";

/** A row as it lies on the disk, its bytes as base64: a form that travels between browser and test. */
export type StoredText = Readonly<Record<string, string | number>>;
const StoredText = v.record(v.string(), v.union([v.string(), v.number()]));

export interface OpenTable {
  readonly sealer: RowSealer;
  readonly rows: readonly { readonly stored: StoredText; readonly row: unknown }[];
}

/** In the order in which the wallet reads them. */
export async function openTable(extension: Extension, of: TableIndexes): Promise<OpenTable> {
  const { rowKey, stored } = await inStore(
    extension,
    async ({ table }) => {
      const answerOf = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const database = await answerOf(indexedDB.open("tuppence"));
      const transaction = database.transaction([table, "vault"]);
      const [vault, rows] = await Promise.all([
        answerOf(transaction.objectStore("vault").get("vault")),
        answerOf(transaction.objectStore(table).getAll()),
      ]);
      database.close();
      const { nonce: iv, deviceKey, wrapped } = vault;
      const key = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, deviceKey, wrapped);
      const text = (bytes: Uint8Array) =>
        btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
      return {
        rowKey: text(new Uint8Array(key)),
        stored: rows.map((row: { sealed: Uint8Array }) => ({ ...row, sealed: text(row.sealed) })),
      };
    },
    of,
  );
  const sealer = createRowSealer(Buffer.from(rowKey, "base64"));
  const rows = v.parse(v.array(StoredText), stored).map((text) => ({
    stored: text,
    row: sealer.open(of, { ...text, sealed: new Uint8Array(Buffer.from(String(text.sealed), "base64")) }),
  }));
  return { sealer, rows };
}

export function sealedText(sealer: RowSealer, of: TableIndexes, row: object): StoredText {
  const { sealed, ...indexes } = sealer.seal(of, row);
  const bytes = v.parse(v.instance(Uint8Array), sealed);
  return v.parse(StoredText, { ...indexes, sealed: Buffer.from(bytes).toString("base64") });
}

/**
 * All of them in one transaction, or none where the wallet changed a row since it was read: false then. A row without
 * `before` is new.
 */
export function writeRows(
  extension: Extension,
  of: TableIndexes,
  changes: readonly { readonly before?: StoredText; readonly after: StoredText }[],
): Promise<boolean> {
  return inStore(
    extension,
    async (wanted) => {
      const answerOf = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const text = (bytes: Uint8Array) =>
        btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
      const database = await answerOf(indexedDB.open("tuppence"));
      const rows = database.transaction(wanted.table, "readwrite").objectStore(wanted.table);
      try {
        for (const { before } of wanted.changes) {
          if (before === undefined) continue;
          const now = await answerOf(rows.get(before[wanted.key] ?? ""));
          if (now === undefined || text(now.sealed) !== before.sealed) return false;
        }
        const put = wanted.changes.map(({ after }) => {
          const sealed = Uint8Array.from(atob(String(after.sealed)), (letter) => letter.charCodeAt(0));
          return answerOf(rows.put({ ...after, sealed }));
        });
        await Promise.all(put);
        return true;
      } finally {
        database.close();
      }
    },
    { table: of.table, key: of.key, changes },
  );
}

/** All that lies in the wallet's own database, letter for letter, by table: keys that WebCrypto keeps stand there as what they are called. */
export function readRows(extension: Extension): Promise<Readonly<Record<string, readonly string[]>>> {
  return inStore(
    extension,
    async () => {
      const answerOf = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const database = await answerOf(indexedDB.open("tuppence"));
      const tables: Record<string, string[]> = {};
      for (const table of database.objectStoreNames) {
        const rows = await answerOf(database.transaction(table).objectStore(table).getAll());
        tables[table] = rows.map((row) =>
          JSON.stringify(row, (_, value) => (value instanceof Uint8Array ? [...value].join() : value)),
        );
      }
      database.close();
      return tables;
    },
    undefined,
  );
}

export interface AtRest {
  /** Every string, and every run of bytes, a letter for a byte. What is no letter in UTF-8 stays what it is. */
  readonly readable: readonly string[];
  /** Of every key of WebCrypto's, in which database and store it lies, and what came of the attempt to carry it off. */
  readonly keys: readonly { readonly at: string; readonly exported: string }[];
}

/** All that the extension has on the disk, as somebody reads it who knows nothing of the wallet. */
export function readDisk(extension: Extension): Promise<AtRest> {
  return inStore(
    extension,
    async () => {
      const answerOf = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const readable: string[] = [];
      const keys: { at: string; exported: string }[] = [];
      const carryOff = (key: CryptoKey) =>
        Promise.any(["raw", "jwk"].map((format) => crypto.subtle.exportKey(format as "raw", key))).then(
          () => "all of it",
          () => "nothing",
        );
      const read = async (value: unknown, at: string): Promise<void> => {
        if (value instanceof CryptoKey) {
          keys.push({ at, exported: await carryOff(value) });
        } else if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
          const bytes = ArrayBuffer.isView(value)
            ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
            : new Uint8Array(value);
          readable.push(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
          readable.push(new TextDecoder().decode(bytes));
        } else if (typeof value === "object" && value !== null) {
          for (const [name, part] of Object.entries(value)) {
            readable.push(name);
            await read(part, at);
          }
        } else {
          readable.push(String(value));
        }
      };
      for (const { name = "" } of await indexedDB.databases()) {
        const database = await answerOf(indexedDB.open(name));
        for (const store of database.objectStoreNames) {
          const rows = await answerOf(database.transaction(store).objectStore(store).getAll());
          await read(rows, `${name}/${store}`);
        }
        database.close();
      }
      const scripts = await chrome.scripting.getRegisteredContentScripts();
      const lasting = scripts.filter(({ persistAcrossSessions }) => persistAcrossSessions);
      const stored = [await chrome.storage.local.get(), await chrome.storage.sync.get()];
      await read([{ ...localStorage }, ...stored, lasting], "");
      return { readable, keys };
    },
    undefined,
  );
}

async function inStore<Given, Answer>(
  extension: Extension,
  work: (given: Given) => Promise<Answer>,
  given: Given,
): Promise<Answer> {
  const page = await extension.context.newPage();
  try {
    // A page of the extension that has nothing of its own to say.
    await page.goto(extension.url("extension/icons/16.png"));
    return await page.evaluate(work as never, given as never);
  } finally {
    await page.close();
  }
}
