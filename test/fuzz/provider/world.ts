/**
 * The provider that is fuzzed: the real application on a real database, with readers, a merchant and payments from which
 * genuine requests are made. Each is kept until an answer used it up, because most inputs are refused and leave it good.
 */
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pino } from "pino";
import { auditProvider } from "../../../server/audit.ts";
import { signGatewayEvent } from "../../../server/gateways/index.ts";
import { toBase64url, toHex } from "../../../shared/bytes.ts";
import { type SigningKey, signingKeyFromSeed, signJws, thumbprintOf } from "../../../shared/jws.ts";
import { micros } from "../../../shared/money.ts";
import { openShop } from "../../support/shop.ts";

/** Their sum stays below what an account may top up in a day. */
const MOST_TOP_UPS_OF_AN_ACCOUNT = 15;
const TOP_UP = 20_000_000n;
export const SMALLEST_BACKUP_BYTES = 16_384;

export interface Account {
  readonly id: string;
  readonly key: SigningKey;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

/** @param environment live, with a counterpart, unless it says something else */
export async function openWorld(environment: Readonly<Record<string, string>> = {}) {
  const logged: string[] = [];
  const logger = pino({ level: "error" }, { write: (line: string) => void logged.push(line) });
  const shop = await openShop(
    {
      TUPPENCE_RATE_LIMIT_PER_MINUTE: "100000000",
      TUPPENCE_COUNTERPART: "http://127.0.0.1:4021",
      TUPPENCE_COUNTERPART_ACCOUNTS: "http://localhost:4021",
      ...environment,
    },
    logger,
  );
  await shop.app.ready();
  const { deps, clock } = shop;
  const database = new DatabaseSync(join(deps.config.dataFolder, "tuppence.sqlite"), { readOnly: true });
  const version = database.prepare("PRAGMA data_version");
  let account: { readonly of: Account; topUps: number } | undefined;

  const nowSeconds = (): number => Math.floor(clock.now / 1_000);

  async function token(
    { key }: Account,
    method: string,
    path: string,
    body: Uint8Array | string = "",
    changes: object = {},
  ): Promise<string> {
    const claims = {
      aud: shop.accountsOrigin,
      htm: method,
      htu: path,
      body: createHash("sha256").update(body).digest("base64url"),
      iat: nowSeconds(),
      ...changes,
    };
    return signJws("tuppence-account+jwt", claims, key, "jwk");
  }

  /** With an account's token, past everything that is fuzzed. */
  async function call(of: Account, method: "GET" | "POST", url: string, content?: object) {
    const body = content === undefined ? undefined : JSON.stringify(content);
    const headers = {
      host: new URL(shop.accountsOrigin).host,
      authorization: `Bearer ${await token(of, method, url, body)}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    const answer = await shop.app.inject({ method, url, headers, ...(body === undefined ? {} : { body }) });
    if (answer.statusCode >= 300) throw new Error(`${method} ${url} was refused: ${answer.body}`);
    return answer.json();
  }

  /** An account with money, for a few top-ups. */
  async function useAccount(): Promise<Account> {
    account ??= { of: await openAccount(), topUps: 0 };
    account.topUps += 1;
    const { of } = account;
    if (account.topUps >= MOST_TOP_UPS_OF_AN_ACCOUNT) account = undefined;
    return of;
  }

  async function openAccount(): Promise<Account> {
    const key = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
    const of = { id: await thumbprintOf(key.publicJwk), key };
    await call(of, "POST", "/accounts");
    const id = await makeTopUp(of, TOP_UP);
    const event = signGatewayEvent(
      deps.secrets.gatewaySecret,
      { type: "approved", topUpId: id, amount: micros(TOP_UP) },
      nowSeconds(),
    );
    const answer = await shop.app.inject({
      method: "POST",
      url: "/gateways/sandbox/events",
      headers: { host: new URL(shop.accountsOrigin).host, ...event.headers },
      body: event.body,
    });
    if (answer.statusCode !== 200) throw new Error(`the first top-up was refused: ${answer.body}`);
    return of;
  }

  async function makeTopUp(of: Account, amount: bigint): Promise<string> {
    const id = toHex(randomBytes(16));
    await call(of, "POST", "/topups", { id, amount: amount.toString(), gateway: "sandbox" });
    return id;
  }

  /** A part that was written once. Answers its address. */
  async function makeBackup(of: Account): Promise<string> {
    const url = `/accounts/me/backup/${toHex(randomBytes(16))}`;
    await call(of, "POST", url, { version: 0, content: toBase64url(randomBytes(SMALLEST_BACKUP_BYTES)) });
    return url;
  }

  return {
    shop,
    deps,
    nowSeconds,
    token,
    call,
    useAccount,
    makeTopUp,
    makeBackup,
    /** Changes when anything whatever was written. */
    version: (): unknown => version.get()?.data_version,
    /** What stands in the log since it was last asked: bugs only. */
    takeLog: (): string[] => logged.splice(0),
    balances: async (): Promise<string> =>
      JSON.stringify(
        [...(await deps.ledger.balances(""))].map(([name, amount]) => [name, `${amount}`]).sort(),
      ),
    async audit(): Promise<void> {
      const { differences } = await auditProvider(deps);
      if (differences.length > 0) throw new Error(`the books do not add up: ${differences.join("; ")}`);
    },
    async close(): Promise<void> {
      database.close();
      await shop.close();
    },
  };
}
