/** What every domain of the server is handed. Made once, by the server and by the command-line tools. */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import type { Bytes } from "../shared/bytes.ts";
import type { Config } from "./config.ts";
import { type Database, openDatabase } from "./database.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { type DatabasePlace, openLedger } from "./ledger/open.ts";
import { createLogger } from "./log.ts";
import { createMerchantStore, type MerchantStore } from "./merchants/index.ts";
import { createMetrics, type Metrics, measureLedger } from "./metrics.ts";
import { type MintWithKeys, openMint } from "./mint/index.ts";
import { refuseOtherMode } from "./mode.ts";
import {
  createSealedPaymentReader,
  createSealReader,
  type SealedPaymentReader,
  type SealReader,
} from "./payments/index.ts";
import { openSecrets, type Secrets } from "./secrets.ts";

export interface Deps {
  readonly config: Config;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: (length: number) => Bytes;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly secrets: Secrets;
  readonly database: Database;
  readonly ledger: Ledger;
  readonly mint: MintWithKeys;
  readonly merchants: MerchantStore;
  readonly seals: SealReader;
  readonly sealedPayments: SealedPaymentReader;
  readonly close: () => Promise<void>;
}

export interface DepsOptions {
  readonly now?: () => number;
  readonly random?: (length: number) => Bytes;
  readonly logger?: Logger;
}

export async function createDeps(config: Config, options: DepsOptions = {}): Promise<Deps> {
  const now = options.now ?? Date.now;
  const random = options.random ?? ((length) => new Uint8Array(randomBytes(length)));
  const logger = options.logger ?? createLogger(config.logLevel);
  const metrics = createMetrics();
  mkdirSync(config.dataFolder, { recursive: true, mode: 0o700 });
  const secrets = await openSecrets(config.dataFolder, random, config.mode);
  const place = databasePlace(config);
  const opened: Closable[] = [];
  const close = async () => {
    for (const part of opened.toReversed()) await part.close();
  };
  try {
    const { database } = keep(opened, await openDatabase(place));
    await refuseOtherMode(database, config.mode);
    const ledger = measureLedger(keep(opened, openLedger(place, now, config.mintThreads > 0)), metrics);
    const mint = keep(
      opened,
      await openMint({
        unit: config.unit,
        masterSecret: secrets.mintMaster,
        keysetLogPath: join(config.dataFolder, "keysets.json"),
        threads: config.mintThreads,
        now,
        onFault: (error) => logger.error({ err: error }, "the list of keysets cannot be followed"),
      }),
    );
    return {
      config,
      now,
      random,
      logger,
      metrics,
      secrets,
      database,
      ledger,
      mint,
      merchants: createMerchantStore({ database, now, config }),
      seals: createSealReader(secrets.sealingKey),
      sealedPayments: createSealedPaymentReader(secrets.sealingKey),
      close,
    };
  } catch (error) {
    // Open connections would keep the process of a start that was refused, or of a command, from ending. What closing
    // them says is of no interest beside this error.
    await close().catch(() => {});
    throw error;
  }
}

interface Closable {
  readonly close: () => Promise<void>;
}

function keep<T extends Closable>(opened: Closable[], part: T): T {
  opened.push(part);
  return part;
}

function databasePlace({ databaseUrl, dataFolder }: Config): DatabasePlace {
  return databaseUrl === ""
    ? { kind: "sqlite", path: join(dataFolder, "tuppence.sqlite") }
    : { kind: "postgres", url: databaseUrl };
}
