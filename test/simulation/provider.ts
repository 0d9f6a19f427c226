/**
 * The provider: the real application over the real ledger and database, composed as `server/deps.ts` composes them, with
 * every call to ledger and database led through the world, where the process may die before and after it. What is
 * stored outlives it. Operators' commands are processes of their own on the same files.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { createApp } from "../../server/app.ts";
import { type Config, readConfig } from "../../server/config.ts";
import { type Database, openDatabase } from "../../server/database.ts";
import type { Deps } from "../../server/deps.ts";
import type { Group, GroupOutcome, Ledger } from "../../server/ledger/ledger.ts";
import { openLedger } from "../../server/ledger/open.ts";
import { createMerchantStore } from "../../server/merchants/index.ts";
import { createMetrics } from "../../server/metrics.ts";
import { openMint } from "../../server/mint/index.ts";
import { createSealedPaymentReader, createSealReader } from "../../server/payments/index.ts";
import { openSecrets } from "../../server/secrets.ts";
import { TuppenceError } from "../../shared/errors.ts";
import type { Host, SimulatedAnswer } from "./network.ts";
import { type Random, seededRandom } from "./random.ts";
import type { Process, World } from "./world.ts";

export const ORIGIN = "https://pay.example";
export const ACCOUNTS_ORIGIN = "https://accounts.pay.example";
/** From then on it lives. */
const MAX_STARTS = 4;
/** As long as a judgement takes, and some. */
const BUSY_MS = 12;
/** What a database's fault is called, so that its log line is not taken for a bug's. */
const INJECTED = "a simulated fault of the database";

export interface ProviderWatch {
  committed(group: Group): void;
  signs(outputs: readonly { readonly B_: string; readonly amount: bigint }[]): void;
  judgingFails(group: Group): void;
  /** The application logged an error that nobody injected. */
  fails(line: string): void;
  dies(): void;
}

export interface ProviderMachine {
  readonly config: Config;
  readonly host: () => Host | undefined;
  /** Starts it where it does not run. */
  start(): void;
  kill(): void;
  /** A command of the operator's, in a process of its own, with a clock of its own. */
  command(name: string, skewMs: number, run: (deps: Deps) => Promise<void>): void;
  /** Without any simulation, for the invariants. */
  readonly truth: Deps;
  close(): Promise<void>;
}

export async function setUpProvider(
  world: World,
  folder: string,
  watch: ProviderWatch,
): Promise<ProviderMachine> {
  const random = seededRandom(world.seed, "provider");
  const config = drawConfig(random, folder);
  mkdirSync(folder, { recursive: true });
  const shared = await openShared(world, config);
  const closing: (() => Promise<void>)[] = [() => shared.mint.close()];
  const open = async (process: Process | undefined, skewMs: number): Promise<Deps> => {
    const opened = await openParts(world, config, process, skewMs, shared, watch);
    closing.push(opened.close);
    return opened.deps;
  };
  const truth = await open(undefined, 0);
  let running: Host | undefined;
  let starts = 0;
  const start = (): void => {
    if (running?.process.isAlive()) return;
    const process = world.startProcess(`provider${++starts}`, () =>
      world.faults.areOff || starts > MAX_STARTS ? 0 : world.faults.providerDies,
    );
    process.onDeath(() => {
      running = undefined;
      watch.dies();
      world.after(50 + random.below(random.chance(0.2) ? 600_000 : 20_000), "provider starts", start);
    });
    world.hold(
      open(process, 0).then(async (deps) => {
        const app = await createApp(deps);
        await app.ready();
        closing.push(() => app.close());
        running = { process, handle: answerFrom(app) };
      }),
    );
  };
  let commands = 0;
  return {
    config,
    host: () => running,
    start,
    kill: () => running?.process.kill("at a payment's step"),
    command: (name, skewMs, run) => {
      const process = world.startProcess(`${name}${++commands}`, () =>
        world.faults.areOff ? 0 : world.faults.operatorDies,
      );
      world.hold(
        open(process, skewMs).then((deps) => {
          run(deps).catch((error: unknown) => {
            if (process.isAlive() && !isInjected(error)) watch.fails(`${process.name}: ${describe(error)}`);
          });
        }),
      );
    },
    truth,
    close: async () => {
      for (const close of closing.toReversed()) await close();
    },
  };
}

/** Nobody reads them here; the runs of a process share them. */
const METRICS = createMetrics();

function drawConfig(random: Random, folder: string): Config {
  return readConfig({
    TUPPENCE_DATA: folder,
    TUPPENCE_ORIGIN: ORIGIN,
    TUPPENCE_ACCOUNTS_ORIGIN: ACCOUNTS_ORIGIN,
    TUPPENCE_MINT_THREADS: "0",
    TUPPENCE_LOG_LEVEL: "error",
    // The machine's own load is no part of a seed.
    TUPPENCE_MAX_LOOP_DELAY_MILLISECONDS: "0",
    TUPPENCE_RATE_LIMIT_PER_MINUTE: "100000000",
    TUPPENCE_TOPUP_LEAST: "0.001",
    TUPPENCE_TOPUP_MOST: "2",
    TUPPENCE_TOPUP_PER_DAY: random.pick(["2", "100"]),
    TUPPENCE_FEE_PERCENT: random.pick(["0", "2.5", "10", "33.33"]),
    TUPPENCE_PAYOUT_MINIMUM: random.pick(["0.01", "0.05"]),
    TUPPENCE_FIRST_PAYOUT_DELAY_SECONDS: random.pick(["0", "3600", "604800"]),
    TUPPENCE_PROVISIONAL_LIMIT: random.pick(["0.1", "1", "20"]),
    TUPPENCE_SANDBOX_FINAL_SECONDS: random.pick(["0", "600", "86400"]),
  });
}

/** What every process of the provider reads from the same files, and never changes: opened once a run. */
interface Shared extends Pick<Deps, "secrets" | "mint" | "random"> {}

async function openShared(world: World, config: Config): Promise<Shared> {
  const chance = seededRandom(world.seed, "secrets");
  const random = (count: number) => chance.bytes(count);
  const secrets = await openSecrets(config.dataFolder, random);
  const mint = await openMint({
    unit: config.unit,
    masterSecret: secrets.mintMaster,
    keysetLogPath: join(config.dataFolder, "keysets.json"),
    threads: config.mintThreads,
    now: world.nowMs,
    onFault: (error) => {
      throw error;
    },
  });
  return { secrets, mint, random };
}

async function openParts(
  world: World,
  config: Config,
  process: Process | undefined,
  skewMs: number,
  shared: Shared,
  watch: ProviderWatch,
): Promise<{ deps: Deps; close: () => Promise<void> }> {
  const now = () => world.nowMs() + skewMs;
  const place = { kind: "sqlite", path: join(config.dataFolder, "tuppence.sqlite") } as const;
  const { database: plain, close: closeDatabase } = await openDatabase(place);
  const plainLedger = openLedger(place, now);
  const database = process ? ledDatabase(process, plain) : plain;
  const ledger = process ? ledLedger(world, process, plainLedger, watch) : plainLedger;
  const { secrets, mint } = shared;
  const logger = pino(
    { level: config.logLevel, base: null },
    {
      write: (line: string) => {
        if (!line.includes(INJECTED)) watch.fails(line);
      },
    },
  );
  const close = async (): Promise<void> => {
    await plainLedger.close();
    await closeDatabase();
  };
  const deps: Deps = {
    config,
    now,
    random: shared.random,
    logger,
    metrics: METRICS,
    secrets,
    database,
    ledger,
    mint: {
      ...mint,
      sign: (outputs) => {
        watch.signs(outputs);
        return mint.sign(outputs);
      },
    },
    merchants: createMerchantStore({ database, now, config }),
    seals: createSealReader(secrets.sealingKey),
    sealedPayments: createSealedPaymentReader(secrets.sealingKey),
    close,
  };
  return { deps, close };
}

/** Every query is an await; it is done when the process hears of it, or dies. */
function ledDatabase(process: Process, database: Database): Database {
  return database.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: ({ result }) => process.call("database", () => result),
  });
}

function ledLedger(world: World, process: Process, ledger: Ledger, watch: ProviderWatch): Ledger {
  const random = seededRandom(world.seed, `${process.name} database`);
  const { faults } = world;
  const waits = (below: number): Promise<void> =>
    new Promise((resolve) => world.after(random.below(below), `${process.name} waits`, resolve));
  const led = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    if (random.chance(faults.databaseStalls) && !faults.areOff) await waits(40_000);
    return process.call(what, async () => {
      if (random.chance(faults.databaseFails) && !faults.areOff) throw new Error(INJECTED);
      return work();
    });
  };
  return {
    apply: async (group) => {
      if (random.chance(faults.ledgerIsBusy) && !faults.areOff) await waits(BUSY_MS);
      return led("apply", async (): Promise<GroupOutcome> => {
        if (random.chance(faults.databaseFails) && !faults.areOff) {
          watch.judgingFails(group);
          throw new TuppenceError("overloaded");
        }
        const outcome = await ledger.apply(group);
        if (outcome.status === "committed") watch.committed(group);
        world.note(`${process.name} ${group.id.slice(0, 8)} ${outcome.status}`);
        return outcome;
      });
    },
    balance: (account) => led("balance", () => ledger.balance(account)),
    balances: (prefix) => led("balances", () => ledger.balances(prefix)),
    record: (key) => led("record", () => ledger.record(key)),
    records: (keys) => led("records", () => ledger.records(keys)),
    group: (id) => led("group", () => ledger.group(id)),
    groups: (ids) => led("groups", () => ledger.groups(ids)),
    existing: (ids) => led("existing", () => ledger.existing(ids)),
    transfers: (query) => led("transfers", () => ledger.transfers(query)),
    sum: (query) => led("sum", () => ledger.sum(query)),
    audit: () => ledger.audit(),
    close: () => ledger.close(),
  };
}

type App = Awaited<ReturnType<typeof createApp>>;

/** What is the same for everyone and never changes; the wallet asks for it more often than for anything else. */
const STATIC = /^\/(\.well-known\/|v1\/keysets$|v1\/keys\/)/;

function answerFrom(app: App): Host["handle"] {
  // As a cache in front of a provider would: half of all requests are these, and the application has answered them once.
  const cache = new Map<string, SimulatedAnswer>();
  return async (request) => {
    const { host, pathname, search } = new URL(request.url);
    const cached = cache.get(request.url);
    if (cached) return cached;
    const response = await app.inject({
      method: request.method === "POST" ? "POST" : "GET",
      url: pathname + search,
      headers: { ...request.headers, host },
      ...(request.body === undefined ? {} : { payload: request.body }),
    });
    const answer = { status: response.statusCode, text: response.body, isCut: false };
    if (STATIC.test(pathname)) cache.set(request.url, answer);
    return answer;
  };
}

function isInjected(error: unknown): boolean {
  return (error instanceof Error && error.message === INJECTED) || error instanceof TuppenceError;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
