/**
 * Who is signed in. A session is a cookie that scripts cannot read and other sites cannot send; the database has its hash.
 * It ends after two weeks, and at once where its owner signs out everywhere.
 */
import type { CookieSerializeOptions } from "@fastify/cookie";
import type { FastifyReply, FastifyRequest } from "fastify";
import { TuppenceError } from "../../shared/errors.ts";
import type { AccessDeps } from "./deps.ts";
import { hashOfToken, makeToken } from "./tokens.ts";

/** With the prefix no neighbouring host can set it (RFC 6265bis); it needs TLS. */
const SECURE_PREFIX = "__Host-";
/** One name for each mode: ports of one host share their cookies, and signing in to one would sign out of the other. */
const COOKIES = { live: "tuppence_session", test: "tuppence_test_session" } as const;
const SESSION_SECONDS = 14 * 24 * 3_600;
/** How long after the sign-in what would keep somebody else in may be done. */
const FRESH_MILLISECONDS = 15 * 60_000;

type Tables = {
  sessions: { hash: string; owner_id: string; created_at: bigint | number; expires_at: bigint | number };
};

/** As much of an answer as a session needs. */
interface CookieJar {
  setCookie(name: string, value: string, options: CookieSerializeOptions): unknown;
}

export async function beginSession(deps: AccessDeps, ownerId: string, reply: CookieJar): Promise<void> {
  const token = makeToken(deps);
  const now = deps.now();
  const db = tables(deps);
  await db.deleteFrom("sessions").where("expires_at", "<=", now).execute();
  await db
    .insertInto("sessions")
    .values({
      hash: hashOfToken(token),
      owner_id: ownerId,
      created_at: now,
      expires_at: now + SESSION_SECONDS * 1_000,
    })
    .execute();
  reply.setCookie(cookieName(deps), token, { ...cookieOptions(deps), maxAge: SESSION_SECONDS });
}

export async function endSession(
  deps: AccessDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const token = request.cookies[cookieName(deps)];
  if (token !== undefined)
    await tables(deps).deleteFrom("sessions").where("hash", "=", hashOfToken(token)).execute();
  reply.clearCookie(cookieName(deps), cookieOptions(deps));
}

/** Everywhere but here: for whoever lost a device, or used a recovery code. */
export async function endOtherSessions(
  deps: AccessDeps,
  ownerId: string,
  request: FastifyRequest,
): Promise<void> {
  await tables(deps)
    .deleteFrom("sessions")
    .where("owner_id", "=", ownerId)
    .where("hash", "!=", hashOfToken(request.cookies[cookieName(deps)] ?? ""))
    .execute();
}

/**
 * The owner who is signed in.
 *
 * @throws TuppenceError access_required, also where another site's page sent the request: the cookie stays at home by
 * itself (`SameSite`), this holds where a browser does not know that
 */
export async function ownerOfSession(deps: AccessDeps, request: FastifyRequest): Promise<string> {
  return (await readSession(deps, request)).owner_id;
}

/**
 * As `ownerOfSession`, for what outlasts a session: passkeys, recovery codes, API keys. Whoever found a browser open does
 * not become the owner by it.
 *
 * @throws TuppenceError access_required, access_stale
 */
export async function ownerWhoJustSignedIn(deps: AccessDeps, request: FastifyRequest): Promise<string> {
  const session = await readSession(deps, request);
  if (Number(session.created_at) + FRESH_MILLISECONDS <= deps.now()) throw new TuppenceError("access_stale");
  return session.owner_id;
}

async function readSession(deps: AccessDeps, request: FastifyRequest) {
  const { origin } = request.headers;
  const token = request.cookies[cookieName(deps)];
  if (token === undefined || (origin !== undefined && origin !== deps.config.accountsOrigin))
    throw new TuppenceError("access_required");
  const session = await tables(deps)
    .selectFrom("sessions")
    .select(["owner_id", "created_at"])
    .where("hash", "=", hashOfToken(token))
    .where("expires_at", ">", deps.now())
    .executeTakeFirst();
  if (!session) throw new TuppenceError("access_required");
  return session;
}

function cookieOptions({ config }: AccessDeps): CookieSerializeOptions {
  return {
    path: "/",
    httpOnly: true,
    sameSite: "strict",
    secure: isSecure(config),
  };
}

function cookieName({ config }: AccessDeps): string {
  return `${isSecure(config) ? SECURE_PREFIX : ""}${COOKIES[config.mode]}`;
}

function isSecure({ accountsOrigin }: AccessDeps["config"]): boolean {
  return accountsOrigin.startsWith("https:");
}

function tables({ database }: Pick<AccessDeps, "database">) {
  return database.$extendTables<Tables>();
}
