/**
 * A real provider, tapped, and a clock that is turned from one event to the next once everything has come to rest: days
 * of readers' lives in seconds, and the times that the provider sees are those that it would see.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { type Provider, startProvider } from "../../server/start.ts";
import { freePort } from "../support/free-port.ts";
import { openTap, type ProviderRecord, readRows, type Tap } from "./record.ts";

/** So many turns of the event loop without anything under way are rest. */
const CALM_TURNS = 12;
const MERCHANTS = ["the-lantern", "the-harbour"] as const;
const DATABASE = "tuppence.sqlite";

export interface World {
  readonly provider: Provider;
  readonly tap: Tap;
  nowMs(): number;
  /** Calls it so long after now. */
  after(milliseconds: number, work: () => unknown): void;
  /** Lets so much time go by. */
  run(milliseconds: number): Promise<void>;
  /** Counts as under way until it is settled. */
  busy<T>(work: Promise<T>): Promise<T>;
  /** Faults of what was called; none is expected. */
  readonly faults: unknown[];
  /** All that the provider received since the last call, and all that it stores. */
  record(published: readonly string[], opened: ReadonlyMap<string, string>): ProviderRecord;
  /** All that readers' wallets keep at the provider. */
  loseBackups(): Promise<void>;
  close(): Promise<void>;
}

export function siteOf(merchant: string): string {
  return `https://${merchant}.example`;
}

export async function openWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "tuppence-attacker-"));
  const began = Date.now();
  let ahead = 0;
  const nowMs = () => began + ahead;
  const port = await freePort();
  const tap = await openTap(port, nowMs);
  const provider = await startProvider(
    {
      TUPPENCE_DATA: folder,
      TUPPENCE_PORT: String(port),
      TUPPENCE_ORIGIN: tap.origin,
      TUPPENCE_ACCOUNTS_ORIGIN: tap.accountsOrigin,
      TUPPENCE_LOG_LEVEL: "silent",
      TUPPENCE_MINT_THREADS: "0",
      TUPPENCE_SETTLE_EVERY_SECONDS: "0",
      // All readers live on this machine, and on this event loop.
      TUPPENCE_RATE_LIMIT_PER_MINUTE: "1000000",
      TUPPENCE_MAX_LOOP_DELAY_MILLISECONDS: "0",
    },
    { now: nowMs },
  );
  for (const id of MERCHANTS)
    await provider.deps.merchants.put({
      id,
      name: id,
      origins: [siteOf(id)],
      sealKeys: [],
      refundWindowSeconds: 3_600,
    });

  const planned: { readonly at: number; readonly work: () => unknown }[] = [];
  const faults: unknown[] = [];
  let underWay = 0;
  const busy = async <T>(work: Promise<T>): Promise<T> => {
    underWay += 1;
    try {
      return await work;
    } finally {
      underWay -= 1;
    }
  };
  const restore = countKeyWork((change) => {
    underWay += change;
  });
  const rest = async () => {
    for (let calm = 0; calm < CALM_TURNS; ) {
      await new Promise((resolve) => (underWay > 0 ? setTimeout(resolve, 1) : setImmediate(resolve)));
      calm = underWay === 0 && tap.underWay() === 0 ? calm + 1 : 0;
    }
  };
  return {
    provider,
    tap,
    nowMs,
    busy,
    faults,
    after(milliseconds, work) {
      planned.push({ at: nowMs() + Math.max(0, milliseconds), work });
    },
    async run(milliseconds) {
      const until = nowMs() + milliseconds;
      for (;;) {
        await rest();
        planned.sort((a, b) => a.at - b.at);
        const next = planned[0];
        if (!next || next.at > until) break;
        planned.shift();
        ahead = Math.max(ahead, next.at - began);
        Promise.resolve()
          .then(next.work)
          .catch((error: unknown) => faults.push(error));
      }
      ahead = until - began;
    },
    record: (published, opened) => ({
      exchanges: tap.take(),
      rows: readRows(join(folder, DATABASE)),
      published,
      opened,
    }),
    async loseBackups() {
      await sql`DELETE FROM wallet_backup_parts`.execute(provider.deps.database);
    },
    async close() {
      restore();
      await tap.close();
      await provider.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** WebCrypto works in other threads, where no turn of this event loop is seen. */
function countKeyWork(count: (change: 1 | -1) => void): () => void {
  const names = [
    "sign",
    "verify",
    "digest",
    "deriveBits",
    "deriveKey",
    "generateKey",
    "importKey",
    "exportKey",
    "encrypt",
    "decrypt",
  ] as const;
  const subtle = globalThis.crypto.subtle;
  for (const name of names) {
    const real: (...parameters: never[]) => Promise<unknown> = Reflect.get(subtle, name);
    Object.defineProperty(subtle, name, {
      configurable: true,
      value: (...parameters: never[]) => {
        count(1);
        return real.apply(subtle, parameters).finally(() => count(-1));
      },
    });
  }
  return () => {
    for (const name of names) Reflect.deleteProperty(subtle, name);
  };
}
