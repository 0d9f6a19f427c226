/** Calls in the account's name: a token made afresh for each attempt, and the clock corrected where the provider says so. */
import type * as v from "valibot";
import { sha256, toBase64url } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { type SigningKey, signJws } from "../../shared/jws.ts";
import type { AccountTokenClaims } from "../../shared/protocol/provider.ts";
import type { Clock } from "../core/ports.ts";
import { call, type Fetch } from "./call.ts";

export interface AccountCallerOptions {
  readonly accountsOrigin: () => Promise<string>;
  readonly fetch: Fetch;
  readonly clock: Clock;
}

export function accountCaller(options: AccountCallerOptions) {
  /** What the provider's clock is ahead of ours. */
  let aheadSeconds = 0;
  const attempt = async <S extends v.GenericSchema>(
    key: SigningKey,
    method: "GET" | "POST",
    path: string,
    body: string | undefined,
    schema: S,
  ) => {
    const aud = await options.accountsOrigin();
    const claims: v.InferInput<typeof AccountTokenClaims> = {
      aud,
      htm: method,
      htu: path,
      body: toBase64url(await sha256(body ?? "")),
      iat: Math.floor(options.clock.nowMs() / 1_000) + aheadSeconds,
    };
    const token = await signJws("tuppence-account+jwt", claims, key, "jwk");
    return call(
      options.fetch,
      { method, url: aud + path, token, ...(body === undefined ? {} : { body }) },
      schema,
    );
  };
  return async <S extends v.GenericSchema>(
    key: SigningKey,
    method: "GET" | "POST",
    path: string,
    content: unknown,
    schema: S,
  ): Promise<v.InferOutput<S>> => {
    const body = content === undefined ? undefined : JSON.stringify(content);
    try {
      return await attempt(key, method, path, body, schema);
    } catch (error) {
      const serverTime =
        error instanceof TuppenceError && error.code === "clock_skew" ? error.details.serverTime : undefined;
      if (typeof serverTime !== "number") throw error;
      aheadSeconds = Math.round(serverTime - options.clock.nowMs() / 1_000);
      return attempt(key, method, path, body, schema);
    }
  };
}
