/**
 * What the parts of the core share: the ports, the open wallet, and who waits for a change. Nothing in here matters
 * after the process died: all of it is made again from the store.
 */
import { ERRORS, TuppenceError } from "../../shared/errors.ts";
import type { Jwks, ProviderInfo } from "../../shared/protocol/provider.ts";
import { noteUnsaved } from "./backup/watch.ts";
import { type DeviceKeys, openKeys, type WalletKeys } from "./keys.ts";
import type { ProviderPort, StoreTables, WalletPorts, WalletStore } from "./ports.ts";
import { watchProvider } from "./reachability.ts";
import { WALLET_KEY, type WalletRow } from "./rows.ts";

/** How long what could not be done waits for the next try, where nothing else wakes the wallet. */
export const TRY_AGAIN_AFTER_MS = 60_000;

export interface OpenWallet {
  readonly row: WalletRow;
  readonly keys: WalletKeys;
  readonly provider: ProviderPort;
}

export interface Context {
  readonly ports: WalletPorts;
  /** Notes what the backup does not have yet. */
  readonly store: WalletStore;
  readonly memory: Memory;
  nowMs(): number;
  /** By the provider's clock, as far as it is known. */
  nowSeconds(): number;
  /** @throws TuppenceError wallet_missing */
  open(): Promise<OpenWallet>;
  /** Forgets the wallet in memory, e.g. because another was made. */
  reopen(): void;
  /** Reads the wallet's row again, after a transaction that changed it. */
  reload(): Promise<void>;
  updateWallet(change: (row: WalletRow) => WalletRow): Promise<WalletRow>;
  /** Tells everyone who looks at the wallet. */
  changed(): void;
  onChange(listener: () => void): () => void;
  /** Resolves at the next change. */
  nextChange(): Promise<void>;
  /** Runs one after the other what must not overlap: withdraws, swaps, change, and looks at the account. */
  serially<T>(work: () => Promise<T>): Promise<T>;
  /** How long the provider is still to be left alone, because it said so; what the reader asks for is asked all the same. */
  quietMs(): number;
  /** Asks the program to wake the wallet then, or earlier where that was asked for already. */
  wakeAt(timeMs: number): void;
  /** Lets work go on that nobody waits for; what it could not do stays in the store and `resume` takes it up. */
  inBackground(work: () => Promise<unknown>): void;
}

/** Conveniences of a running process. */
export interface Memory {
  aheadSeconds: number;
  isReachable: boolean;
  quietUntilMs: number;
  /** When the program was asked to wake the wallet. */
  wakesAtMs: number;
}

export function createContext(ports: WalletPorts): Context {
  const listeners = new Set<() => void>();
  const memory: Memory = { aheadSeconds: 0, isReachable: true, quietUntilMs: 0, wakesAtMs: 0 };
  let opened: Promise<OpenWallet> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const context: Context = {
    ports,
    store: noteUnsaved(ports.store),
    memory,
    nowMs: () => ports.clock.nowMs(),
    nowSeconds: () => Math.floor(ports.clock.nowMs() / 1_000) + memory.aheadSeconds,
    open: () => {
      opened ??= openWallet(context).catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
      return opened;
    },
    reopen: () => {
      opened = undefined;
    },
    reload: async () => {
      const row = await ports.store.read(walletRow);
      const before = await opened;
      if (before) opened = Promise.resolve({ ...before, row });
      context.changed();
    },
    updateWallet: async (change) => {
      const row = await ports.store.transaction(async (tables) => {
        const changed = change(await walletRow(tables));
        await tables.wallet.put(changed);
        return changed;
      });
      const before = await opened;
      if (before) opened = Promise.resolve({ ...before, row });
      context.changed();
      return row;
    },
    changed: () => {
      for (const listener of [...listeners]) listener();
    },
    onChange: (listener) => {
      const own = () => listener();
      listeners.add(own);
      return () => listeners.delete(own);
    },
    nextChange: () =>
      new Promise((resolve) => {
        const end = context.onChange(() => {
          end();
          resolve();
        });
      }),
    serially: (work) => {
      const run = last.then(work);
      last = run.catch(() => undefined);
      return run;
    },
    quietMs: () => Math.max(0, memory.quietUntilMs - ports.clock.nowMs()),
    wakeAt: (timeMs) => {
      const isEarlierComing = memory.wakesAtMs > ports.clock.nowMs() && memory.wakesAtMs <= timeMs;
      if (isEarlierComing) return;
      memory.wakesAtMs = timeMs;
      ports.scheduler.wakeAt(timeMs);
    },
    inBackground: (work) => {
      // Whatever failed stands in the store; a fault that is none of the closed set is a bug, and is heard of.
      work().catch((error: unknown) => {
        if (!(error instanceof TuppenceError)) ports.onFault?.(error);
      });
    },
  };
  return context;
}

async function openWallet(context: Context): Promise<OpenWallet> {
  const row = await context.store.read(walletRow);
  const provider = watchProvider(context.ports.connect(row.providerOrigin), (isReachable, retryAfterMs) => {
    context.memory.quietUntilMs = Math.max(context.memory.quietUntilMs, context.nowMs() + retryAfterMs);
    if (isReachable === context.memory.isReachable) return;
    context.memory.isReachable = isReachable;
    context.changed();
  });
  return { row, keys: await openKeys(row.seedHex), provider };
}

/** How long whoever counts waits for a restored wallet to take its number. */
const DEVICE_PATIENCE_MS = 20_000;

/**
 * The keys of what this wallet counts up. A restored wallet takes a number at the provider first: whatever it counted before
 * that, another wallet of the same phrase may have counted already.
 * @throws TuppenceError provider_unreachable while it has none for too long
 */
export async function ownDevice(context: Context): Promise<DeviceKeys> {
  let isLate = false;
  for (;;) {
    const { row, keys } = await context.open();
    const device = deviceOf(row);
    if (device !== undefined) return keys.device(device);
    if (isLate) throw new TuppenceError("provider_unreachable");
    const change = context.nextChange();
    // It may have been taken since the row was read.
    if (deviceOf((await context.open()).row) !== undefined) continue;
    await Promise.race([
      change,
      context.ports.scheduler.delay(DEVICE_PATIENCE_MS).then(() => {
        isLate = true;
      }),
    ]);
  }
}

/** Wallets of the first version were all the first of their phrase. */
export function deviceOf({ device, recovery }: WalletRow): number | undefined {
  return device ?? (recovery === "pending" ? undefined : 0);
}

/** @throws TuppenceError wallet_missing */
export async function walletRow(tables: Pick<StoreTables, "wallet">): Promise<WalletRow> {
  const row = await tables.wallet.get(WALLET_KEY);
  if (!row) throw new TuppenceError("wallet_missing");
  return row;
}

/** What the provider says of itself, kept from the last time that it was reached. */
export async function knowProvider(context: Context): Promise<{ info: ProviderInfo; jwks: Jwks }> {
  const { row } = await context.open();
  if (row.info && row.jwks) return { info: row.info, jwks: row.jwks };
  return refreshProvider(context);
}

export async function refreshProvider(context: Context): Promise<{ info: ProviderInfo; jwks: Jwks }> {
  const { provider } = await context.open();
  const [info, jwks] = await Promise.all([provider.info(), provider.jwks()]);
  if (context.ports.mode === "test" && info.mode !== "test")
    throw new TuppenceError("provider_answer_invalid", { answer: "mode" });
  await context.updateWallet((row) => ({ ...row, info, jwks }));
  return { info, jwks };
}

/** The next number of a sequence, taken within a transaction. */
export async function takeNumbers(
  tables: Pick<StoreTables, "counters">,
  key: string,
  count: number,
): Promise<number> {
  const first = (await tables.counters.get(key))?.next ?? 0;
  await tables.counters.put({ key, next: first + count });
  return first;
}

/** True where the refusal is final for the same bytes. */
export function isFinal(error: unknown): error is TuppenceError {
  return error instanceof TuppenceError && ERRORS[error.code].retry === "never";
}

export function asTuppenceError(error: unknown): TuppenceError {
  if (error instanceof TuppenceError) return error;
  throw error;
}
