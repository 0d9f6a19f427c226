/** A real provider on a port of its own, with a data folder of its own, and a reader's account to call it with. */
import { createHash, randomBytes } from "node:crypto";
import { afterAll } from "vitest";
import type { Environment } from "../../server/config.ts";
import type { DepsOptions } from "../../server/deps.ts";
import { signGatewayEvent } from "../../server/gateways/index.ts";
import { type Provider, startProvider } from "../../server/start.ts";
import { type SigningKey, signingKeyFromSeed, signJws, thumbprintOf } from "../../shared/jws.ts";
import { micros } from "../../shared/money.ts";
import { sqliteDatabases, type TestDatabases } from "../support/database.ts";

export interface TestProvider {
  readonly provider: Provider;
  readonly origin: string;
  readonly accountsOrigin: string;
  /** The provider's clock: milliseconds ahead of this machine's. */
  readonly clock: { ahead: number };
  readonly close: () => Promise<void>;
}

let databases = sqliteDatabases();
// Said here, before the file says anything, because what is said first is done last.
afterAll(() => databases.stop());

/** For all tests of the file. */
export function runOn(others: TestDatabases): void {
  databases = others;
}

/** @param environment with a data folder in it, that is used and stays */
export async function startTestProvider(
  environment: Environment = {},
  options: Pick<DepsOptions, "logger"> = {},
): Promise<TestProvider> {
  const database = environment.TUPPENCE_DATA === undefined ? await databases.make() : undefined;
  const clock = { ahead: 0 };
  const settings = {
    // The test's own work is on the same event loop.
    TUPPENCE_MAX_LOOP_DELAY_MILLISECONDS: "0",
    ...database?.environment,
    TUPPENCE_PORT: "0",
    TUPPENCE_LOG_LEVEL: "silent",
    TUPPENCE_SETTLE_EVERY_SECONDS: "0",
    ...environment,
  };
  const provider = await startProvider(settings, { now: () => Date.now() + clock.ahead, ...options });
  return {
    provider,
    origin: provider.config.origin,
    accountsOrigin: provider.config.accountsOrigin,
    clock,
    async close() {
      await provider.close();
      await database?.destroy();
    },
  };
}

export interface TestAccount {
  readonly id: string;
  readonly key: SigningKey;
  /** A token for this very request. */
  readonly token: (method: "GET" | "POST", path: string, body?: string, iat?: number) => Promise<string>;
  readonly call: (
    method: "GET" | "POST",
    path: string,
    body?: unknown,
  ) => Promise<{ status: number; body: unknown }>;
  /** Tops up and approves. */
  readonly topUp: (amount: bigint) => Promise<string>;
}

export async function makeAccount({ provider, accountsOrigin, clock }: TestProvider): Promise<TestAccount> {
  const key = await signingKeyFromSeed(randomBytes(32));
  const now = () => Math.floor((Date.now() + clock.ahead) / 1_000);
  const token: TestAccount["token"] = (method, path, body = "", iat = now()) => {
    const claims = {
      aud: accountsOrigin,
      htm: method,
      htu: path,
      body: createHash("sha256").update(body).digest("base64url"),
      iat,
    };
    return signJws("tuppence-account+jwt", claims, key, "jwk");
  };
  const call: TestAccount["call"] = async (method, path, content) => {
    const body = content === undefined ? undefined : JSON.stringify(content);
    const headers = {
      authorization: `Bearer ${await token(method, path, body)}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    const response = await fetch(accountsOrigin + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, body: await response.json() };
  };
  await call("POST", "/accounts");
  return {
    id: await thumbprintOf(key.publicJwk),
    key,
    token,
    call,
    async topUp(amount) {
      const id = randomBytes(16).toString("hex");
      const { status } = await call("POST", "/topups", { id, amount: amount.toString(), gateway: "sandbox" });
      if (status !== 201) throw new Error(`top-up refused: ${status}`);
      const event = signGatewayEvent(
        provider.deps.secrets.gatewaySecret,
        { type: "approved", topUpId: id, amount: micros(amount) },
        now(),
      );
      const answer = await fetch(`${accountsOrigin}/gateways/sandbox/events`, { method: "POST", ...event });
      if (answer.status !== 200) throw new Error(`event refused: ${await answer.text()}`);
      return id;
    },
  };
}
