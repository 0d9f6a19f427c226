/**
 * The provider's configuration, from the environment. A wrong value stops the start with one sentence that names the
 * variable, what is wrong with it, and a value that would do.
 */
import { Resolver } from "node:dns/promises";
import { isIPv4, isIPv6 } from "node:net";
import * as v from "valibot";
import { isPayableInCoins, MAX_AMOUNT, type Micros, parseMoney, ZERO } from "../shared/money.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The sentence for whoever runs the server. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const BYTES_PER_MEBIBYTE = 1_048_576;

const variables = {
  /** Database, secrets and the list of keysets. */
  TUPPENCE_DATA: variable(".tuppence", v.pipe(v.string(), v.minLength(1, "is empty")), "/var/lib/tuppence"),
  /** Empty: SQLite, in a file in the data folder. */
  TUPPENCE_DATABASE_URL: variable("", postgresUrlOrEmpty(), "postgres://tuppence:secret@127.0.0.1/tuppence"),
  /** 0: any free port. */
  TUPPENCE_PORT: variable("4020", wholeNumber(0, 65_535), "4020"),
  TUPPENCE_HOST: variable("127.0.0.1", host(), "127.0.0.1"),
  /** The anonymous origin, the provider's identity. Empty: `http://127.0.0.1:<port>`. */
  TUPPENCE_ORIGIN: variable("", originOrEmpty(), "https://pay.example"),
  /** Empty: `http://localhost:<port>`. */
  TUPPENCE_ACCOUNTS_ORIGIN: variable("", originOrEmpty(), "https://accounts.pay.example"),
  /** `test`: play money for site owners who try things out, with data of its own (decisions/0051). */
  TUPPENCE_MODE: variable("live", v.picklist(["live", "test"], "is neither live nor test"), "test"),
  /** The anonymous origin of the provider of the other mode. Empty: there is none. */
  TUPPENCE_COUNTERPART: variable("", originOrEmpty(), "https://test.pay.example"),
  TUPPENCE_COUNTERPART_ACCOUNTS: variable("", originOrEmpty(), "https://accounts.test.pay.example"),
  TUPPENCE_NAME: variable(
    "Tuppence Sandbox",
    v.pipe(v.string(), v.minLength(1, "is empty"), v.maxLength(100, "is longer than 100 characters")),
    "Example Payments",
  ),
  TUPPENCE_CURRENCY: variable(
    "USD",
    v.pipe(v.string(), v.regex(/^[A-Z]{3}$/, "is not a currency code of three capital letters")),
    "USD",
  ),
  TUPPENCE_FEE_PERCENT: variable("10", percent(), "10 or 2.5"),
  /** For merchants that are registered without one. */
  TUPPENCE_REFUND_WINDOW_SECONDS: variable("86400", wholeNumber(0, 90 * 86_400), "86400"),
  TUPPENCE_PAYOUT_MINIMUM: variable("10", money(), "10 or 0.50"),
  /** How long a new merchant's first payout waits, counted from its registration. */
  TUPPENCE_FIRST_PAYOUT_DELAY_SECONDS: variable("604800", wholeNumber(0, 90 * 86_400), "604800"),
  TUPPENCE_LARGEST_PAYMENT: variable("20", coins(), "20"),
  TUPPENCE_TOPUP_LEAST: variable("1", coins(), "1"),
  TUPPENCE_TOPUP_MOST: variable("50", coins(), "50"),
  TUPPENCE_TOPUP_PER_DAY: variable("100", coins(), "100"),
  /** How much money that is not final yet an account may have withdrawn: the most that a stolen card costs. */
  TUPPENCE_PROVISIONAL_LIMIT: variable("20", money(), "20"),
  /** When a top-up through the sandbox gateway is final. */
  TUPPENCE_SANDBOX_FINAL_SECONDS: variable("86400", wholeNumber(0, 365 * 86_400), "86400"),
  /** 0: only when the command is given. */
  TUPPENCE_SETTLE_EVERY_SECONDS: variable("3600", wholeNumber(0, 86_400 * 31), "3600"),
  /** Of one address, counted without the requests of payments that went through (limits.ts). */
  TUPPENCE_RATE_LIMIT_PER_MINUTE: variable("6000", wholeNumber(1, 100_000_000), "6000"),
  /** What the wallet of an account that topped up may keep here of itself, sealed: about 50,000 payments (wallet-backups/write.ts). */
  TUPPENCE_WALLET_BACKUP_MEBIBYTES: variable("64", wholeNumber(1, 65_536), "64"),
  /** Whose X-Forwarded-For is believed: the reverse proxy's address. Empty: nobody's. */
  TUPPENCE_TRUST_PROXY: variable("", addresses(), "127.0.0.1 or 10.0.0.0/8,fd00::/8"),
  /** Whether sites and webhooks may be on this machine or its network: in a sandbox only. */
  TUPPENCE_PRIVATE_ADDRESSES: variable(
    "refuse",
    v.picklist(["refuse", "allow"], "is neither refuse nor allow"),
    "refuse",
  ),
  /** Who is asked for a site's proof in the DNS. Empty: whom this machine asks. */
  TUPPENCE_NAME_SERVERS: variable("", nameServers(), "192.0.2.53 or 192.0.2.53,[2001:db8::53]:5353"),
  /** Above this mean delay of the event loop requests are answered 503. 0: never. */
  TUPPENCE_MAX_LOOP_DELAY_MILLISECONDS: variable("1000", wholeNumber(0, 60_000), "1000"),
  /** Between "not ready" and the end of accepting, so that a load balancer hears of it first. */
  TUPPENCE_SHUTDOWN_DELAY_SECONDS: variable("0", wholeNumber(0, 600), "5"),
  /** Where metrics, liveness and readiness are served to the operator. Empty: nowhere; 0: any free port. */
  TUPPENCE_METRICS_PORT: variable("", portOrEmpty(), "9464"),
  TUPPENCE_METRICS_HOST: variable("127.0.0.1", host(), "127.0.0.1"),
  /** Threads for curve work. 0: none, all of it on the main thread. */
  TUPPENCE_MINT_THREADS: variable("1", wholeNumber(0, 64), "2"),
  TUPPENCE_LOG_LEVEL: variable(
    "info",
    v.picklist(["fatal", "error", "warn", "info", "debug", "trace", "silent"], "is not a level of logging"),
    "info",
  ),
} as const;

export type Mode = "live" | "test";

export interface Config {
  readonly mode: Mode;
  /** The provider of the other mode, where there is one. */
  readonly counterpart: Counterpart | undefined;
  readonly dataFolder: string;
  /** `postgres://…`; empty: SQLite, in a file in the data folder. */
  readonly databaseUrl: string;
  readonly host: string;
  readonly port: number;
  /** The anonymous origin: the provider's identity in offers, receipts and records. */
  readonly origin: string;
  readonly accountsOrigin: string;
  /** In test mode it says so. */
  readonly name: string;
  readonly currency: string;
  /** Cashu's name of the unit: `usd6`. */
  readonly unit: string;
  /** Hundredths of a percent: 10 % is 1000n. */
  readonly feeBasisPoints: bigint;
  readonly refundWindowSeconds: number;
  readonly payoutMinimum: Micros;
  readonly firstPayoutDelaySeconds: number;
  readonly largestPayment: Micros;
  readonly topUpLeast: Micros;
  readonly topUpMost: Micros;
  readonly topUpPerDay: Micros;
  readonly provisionalLimit: Micros;
  readonly sandboxFinalSeconds: number;
  readonly settleEverySeconds: number;
  readonly rateLimitPerMinute: number;
  readonly walletBackupBytes: number;
  readonly trustProxy: readonly string[];
  /** Also without encryption. */
  readonly mayCallPrivateAddresses: boolean;
  /** Empty: the machine's own. */
  readonly nameServers: readonly string[];
  readonly maxLoopDelayMilliseconds: number;
  readonly shutdownDelaySeconds: number;
  readonly metricsHost: string;
  /** Undefined: metrics are not served. */
  readonly metricsPort: number | undefined;
  readonly mintThreads: number;
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
}

export interface Counterpart {
  /** The anonymous one. */
  readonly origin: string;
  readonly accountsOrigin: string;
}

/**
 * @param actualPort the port that was really bound, where the configured one is 0: default origins follow it
 * @throws ConfigError
 */
export function readConfig(environment: Environment, actualPort?: number): Config {
  rejectUnknown(environment);
  const read = reader(environment);
  const port = actualPort ?? read("TUPPENCE_PORT");
  const currency = read("TUPPENCE_CURRENCY");
  const mode = read("TUPPENCE_MODE");
  const config: Config = {
    mode,
    counterpart: counterpartOf(read("TUPPENCE_COUNTERPART"), read("TUPPENCE_COUNTERPART_ACCOUNTS")),
    dataFolder: read("TUPPENCE_DATA"),
    databaseUrl: read("TUPPENCE_DATABASE_URL"),
    host: read("TUPPENCE_HOST"),
    port,
    origin: read("TUPPENCE_ORIGIN") || `http://127.0.0.1:${port}`,
    accountsOrigin: read("TUPPENCE_ACCOUNTS_ORIGIN") || `http://localhost:${port}`,
    name: mode === "test" ? `${read("TUPPENCE_NAME")} (test)` : read("TUPPENCE_NAME"),
    currency,
    unit: `${currency.toLowerCase()}6`,
    feeBasisPoints: read("TUPPENCE_FEE_PERCENT"),
    refundWindowSeconds: read("TUPPENCE_REFUND_WINDOW_SECONDS"),
    payoutMinimum: read("TUPPENCE_PAYOUT_MINIMUM"),
    firstPayoutDelaySeconds: read("TUPPENCE_FIRST_PAYOUT_DELAY_SECONDS"),
    largestPayment: read("TUPPENCE_LARGEST_PAYMENT"),
    topUpLeast: read("TUPPENCE_TOPUP_LEAST"),
    topUpMost: read("TUPPENCE_TOPUP_MOST"),
    topUpPerDay: read("TUPPENCE_TOPUP_PER_DAY"),
    provisionalLimit: read("TUPPENCE_PROVISIONAL_LIMIT"),
    sandboxFinalSeconds: read("TUPPENCE_SANDBOX_FINAL_SECONDS"),
    settleEverySeconds: read("TUPPENCE_SETTLE_EVERY_SECONDS"),
    rateLimitPerMinute: read("TUPPENCE_RATE_LIMIT_PER_MINUTE"),
    walletBackupBytes: read("TUPPENCE_WALLET_BACKUP_MEBIBYTES") * BYTES_PER_MEBIBYTE,
    trustProxy: read("TUPPENCE_TRUST_PROXY"),
    mayCallPrivateAddresses: read("TUPPENCE_PRIVATE_ADDRESSES") === "allow",
    nameServers: read("TUPPENCE_NAME_SERVERS"),
    maxLoopDelayMilliseconds: read("TUPPENCE_MAX_LOOP_DELAY_MILLISECONDS"),
    shutdownDelaySeconds: read("TUPPENCE_SHUTDOWN_DELAY_SECONDS"),
    metricsHost: read("TUPPENCE_METRICS_HOST"),
    metricsPort: read("TUPPENCE_METRICS_PORT"),
    mintThreads: read("TUPPENCE_MINT_THREADS"),
    logLevel: read("TUPPENCE_LOG_LEVEL"),
  };
  rejectContradictions(config);
  return config;
}

function counterpartOf(origin: string, accountsOrigin: string): Counterpart | undefined {
  if (origin === "" && accountsOrigin === "") return undefined;
  if (origin === "" || accountsOrigin === "")
    throw new ConfigError(
      `${origin === "" ? "TUPPENCE_COUNTERPART" : "TUPPENCE_COUNTERPART_ACCOUNTS"} is not set and the other one is; the provider of the other mode has two origins, too: https://test.pay.example and https://accounts.test.pay.example, for example.`,
    );
  return { origin, accountsOrigin };
}

interface Variable<S extends v.GenericSchema<string, unknown>> {
  readonly fallback: string;
  readonly schema: S;
  readonly example: string;
}

function variable<S extends v.GenericSchema<string, unknown>>(
  fallback: string,
  schema: S,
  example: string,
): Variable<S> {
  return { fallback, schema, example };
}

type Name = keyof typeof variables;
type Value<N extends Name> = v.InferOutput<(typeof variables)[N]["schema"]>;

function reader(environment: Environment) {
  return <N extends Name>(name: N): Value<N> => {
    const { fallback, schema, example } = variables[name];
    const given = environment[name]?.trim() || fallback;
    const parsed = v.safeParse<(typeof variables)[N]["schema"]>(schema, given);
    if (parsed.success) return parsed.output;
    throw new ConfigError(
      `${name} is "${withoutPassword(given)}", which ${parsed.issues[0].message}; a value that would do: ${example}.`,
    );
  };
}

function withoutPassword(value: string): string {
  return value.replace(/:[^:@/]*@/, ":…@");
}

/** A misspelt variable would otherwise be ignored in silence, a limit with it. */
function rejectUnknown(environment: Environment): void {
  for (const name of Object.keys(environment)) {
    if (name.startsWith("TUPPENCE_") && !Object.hasOwn(variables, name) && !OF_OTHER_PROGRAMS.test(name)) {
      throw new ConfigError(
        `${name} is not a setting that the provider has; it has ${Object.keys(variables).join(", ")}.`,
      );
    }
  }
}

/** Tests, tour and tools have settings of their own. */
const OF_OTHER_PROGRAMS = /^TUPPENCE_(DEMO|TEST|TOUR|DEV|BENCH|E2E|CHROMIUM|FIREFOX)/;

function rejectContradictions(config: Config): void {
  if (config.origin === config.accountsOrigin) {
    throw new ConfigError(
      `TUPPENCE_ACCOUNTS_ORIGIN is the same as TUPPENCE_ORIGIN, ${config.origin}; they must differ, so that accounts and payments stay apart: http://localhost:4020 beside http://127.0.0.1:4020, for example.`,
    );
  }
  if (new URL(config.origin).host === new URL(config.accountsOrigin).host) {
    throw new ConfigError(
      `TUPPENCE_ACCOUNTS_ORIGIN has the same host as TUPPENCE_ORIGIN, ${config.origin}; the two are told apart by it, so name another: https://accounts.pay.example, for example.`,
    );
  }
  rejectWrongCounterpart(config);
  if (config.topUpLeast > config.topUpMost)
    throw new ConfigError(
      "TUPPENCE_TOPUP_LEAST is more than TUPPENCE_TOPUP_MOST, so nothing could be topped up; a value that would do: 1.",
    );
  if (config.topUpMost > config.topUpPerDay)
    throw new ConfigError(
      "TUPPENCE_TOPUP_MOST is more than TUPPENCE_TOPUP_PER_DAY, so it could never be reached; a value that would do: 50.",
    );
}

function rejectWrongCounterpart({ counterpart, origin, accountsOrigin }: Config): void {
  if (!counterpart) return;
  const hostOf = (text: string) => new URL(text).host;
  const own = [origin, accountsOrigin].map(hostOf);
  for (const [name, value] of [
    ["TUPPENCE_COUNTERPART", counterpart.origin],
    ["TUPPENCE_COUNTERPART_ACCOUNTS", counterpart.accountsOrigin],
  ] as const)
    if (own.includes(hostOf(value)))
      throw new ConfigError(
        `${name} is ${value}, which is this provider itself; it names the one of the other mode, a process of its own: https://test.pay.example, for example.`,
      );
  if (hostOf(counterpart.origin) === hostOf(counterpart.accountsOrigin))
    throw new ConfigError(
      `TUPPENCE_COUNTERPART_ACCOUNTS has the same host as TUPPENCE_COUNTERPART, ${counterpart.origin}; name the counterpart's accounts origin: https://accounts.test.pay.example, for example.`,
    );
}

function wholeNumber(least: number, most: number) {
  return v.pipe(
    v.string(),
    v.regex(/^[0-9]{1,12}$/, "is not a whole number"),
    v.transform(Number),
    v.minValue(least, `is less than ${least}`),
    v.maxValue(most, `is more than ${most}`),
  );
}

function portOrEmpty() {
  return v.pipe(
    v.string(),
    v.check((value) => value === "" || /^[0-9]{1,5}$/.test(value), "is not a port"),
    v.transform((value) => (value === "" ? undefined : Number(value))),
    v.check((value) => value === undefined || value <= 65_535, "is more than 65535"),
  );
}

function host() {
  return v.pipe(v.string(), v.regex(/^[A-Za-z0-9.:-]{1,255}$/, "is not an address to listen on"));
}

function byCommas() {
  return v.pipe(
    v.string(),
    v.transform((value) => (value === "" ? [] : value.split(",").map((part) => part.trim()))),
  );
}

function nameServers() {
  return v.pipe(byCommas(), v.check(areNameServers, "is not a list of addresses of name servers"));
}

/** An address, or one with a port. */
function areNameServers(list: string[]): boolean {
  try {
    new Resolver().setServers(list);
    return true;
  } catch {
    return false;
  }
}

/** Addresses and networks. */
function addresses() {
  return v.pipe(
    byCommas(),
    v.check((list) => list.every(isAddressOrNetwork), "is not a list of addresses or networks"),
  );
}

function isAddressOrNetwork(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const longest = isIPv4(address) ? 32 : isIPv6(address) ? 128 : undefined;
  if (longest === undefined || more.length > 0) return false;
  return bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= longest);
}

function originOrEmpty() {
  return v.pipe(
    v.string(),
    v.check(
      (value) => value === "" || isOrigin(value),
      "is not an origin (scheme://host[:port], nothing after it)",
    ),
  );
}

function postgresUrlOrEmpty() {
  return v.pipe(
    v.string(),
    v.check(
      (value) => value === "" || (URL.canParse(value) && /^postgres(ql)?:$/.test(new URL(value).protocol)),
      "is not the address of a PostgreSQL database",
    ),
  );
}

function isOrigin(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) && new URL(value).origin === value;
}

/** Kept as exact basis points: a fee is never a floating-point number. */
function percent() {
  return v.pipe(
    v.string(),
    v.regex(/^[0-9]{1,3}(\.[0-9]{1,2})?$/, "is not a percentage with at most two decimals"),
    v.transform((value) => {
      const [whole = "0", decimals = ""] = value.split(".");
      return BigInt(whole) * 100n + BigInt(decimals.padEnd(2, "0"));
    }),
    v.check((basisPoints) => basisPoints <= 10_000n, "is more than 100"),
  );
}

/** In the currency's major unit, as people write it: `10`, `0.50`; zero is allowed. */
function money() {
  return v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }): Micros => {
      const parsed = /^0+(\.0+)?$/.test(dataset.value) ? ZERO : parseMoney(dataset.value);
      if (parsed !== undefined && parsed <= MAX_AMOUNT) return parsed;
      addIssue({ message: "is not an amount of money" });
      return NEVER;
    }),
  );
}

function coins() {
  return v.pipe(
    money(),
    v.check((value) => isPayableInCoins(value), "is not an amount above zero that coins can make"),
  );
}
