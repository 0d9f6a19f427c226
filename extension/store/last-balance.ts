/**
 * The balance as the background saw it last, on the disk, so that the popup has it before the background is awake, and in a
 * browser that was only just started. It lies in a database of its own, which the popup opens by itself: the wallet's store
 * and its next version are never waited for, nor kept waiting. It is sealed under a key of this device, as the wallet's rows
 * are; of a wallet that a passphrase keeps nothing may lie here.
 */
import * as v from "valibot";
import { utf8 } from "../../shared/bytes.ts";
import { LastBalance, type LastBalanceJson, type TestProvider } from "../../shared/protocol/ui.ts";
import { answerOf } from "./answer-of.ts";
import { makeDeviceKey, openUnder, sealedFields, sealUnder } from "./device-key.ts";

const DATABASE = "tuppence-last-balance";
const STORE = "balance";
/** Of the only row. */
const KEY = "last";

const Row = v.object({ deviceKey: v.instance(CryptoKey), ...sealedFields });

/** Undefined where none is kept. Rejects where it cannot be opened. */
export async function readLastBalance(testProvider: TestProvider): Promise<LastBalance | undefined> {
  const stored = await inStore(testProvider, "readonly", (store) => store.get(KEY));
  if (stored === undefined) return undefined;
  const { deviceKey, ...sealed } = v.parse(Row, stored);
  return v.parse(LastBalance, JSON.parse(new TextDecoder().decode(await openUnder(deviceKey, sealed))));
}

/** Undefined takes it away. Every balance has a key of its own: what opened the one before goes with it. */
export async function writeLastBalance(
  testProvider: TestProvider,
  last: LastBalanceJson | undefined,
): Promise<void> {
  if (last === undefined) return void (await inStore(testProvider, "readwrite", (store) => store.clear()));
  const deviceKey = await makeDeviceKey();
  const row = { deviceKey, ...(await sealUnder(deviceKey, utf8(JSON.stringify(last)))) };
  await inStore(testProvider, "readwrite", (store) => store.put(row, KEY));
}

/** Each wallet, the reader's and that of test mode, has its own. */
async function inStore<T>(
  testProvider: TestProvider,
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const opening = indexedDB.open(testProvider === undefined ? DATABASE : `${DATABASE} ${testProvider}`, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await answerOf(opening);
  try {
    const transaction = database.transaction(STORE, mode);
    const ended = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    const [answer] = await Promise.all([answerOf(work(transaction.objectStore(STORE))), ended]);
    return answer;
  } finally {
    database.close();
  }
}
