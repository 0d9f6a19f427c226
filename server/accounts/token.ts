/** The account's token: who asks is who signed, and what was signed is this request and no other. */
import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { TuppenceError } from "../../shared/errors.ts";
import { verifySelfSigned } from "../../shared/jws.ts";
import { AccountTokenClaims } from "../../shared/protocol/provider.ts";
import type { AccountDeps } from "./deps.ts";

/** How far the clocks may be apart, in either direction. */
const MAX_SKEW_SECONDS = 60;
const MAX_TOKEN_LENGTH = 4_096;

/**
 * The id (RFC 7638 thumbprint) of the account that signed the request. It need not exist yet.
 * @throws TuppenceError account_token_invalid; clock_skew with `serverTime` in seconds
 */
export async function authenticate(
  deps: Pick<AccountDeps, "config" | "now">,
  request: FastifyRequest,
): Promise<string> {
  const header = request.headers.authorization ?? "";
  const token = header.slice("Bearer ".length);
  if (!/^Bearer /i.test(header) || token.length > MAX_TOKEN_LENGTH)
    throw new TuppenceError("account_token_invalid");

  const verified = await verifySelfSigned("tuppence-account+jwt", token, AccountTokenClaims);
  if (!verified) throw new TuppenceError("account_token_invalid");
  const { aud, htm, htu, body, iat } = verified.claims;
  const fits =
    aud === deps.config.accountsOrigin &&
    htm === request.method &&
    htu === request.url &&
    body === hashOf(request.rawBody);
  if (!fits) throw new TuppenceError("account_token_invalid");

  const serverTime = Math.floor(deps.now() / 1_000);
  if (Math.abs(iat - serverTime) > MAX_SKEW_SECONDS) throw new TuppenceError("clock_skew", { serverTime });
  return verified.thumbprint;
}

function hashOf(body: Uint8Array | undefined): string {
  return createHash("sha256")
    .update(body ?? new Uint8Array())
    .digest("base64url");
}
