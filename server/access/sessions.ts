/**
 * Who is signed in. A session is a cookie that scripts cannot read and other sites cannot send; the database has its hash.
 * It ends after two weeks, and at once where its owner signs out everywhere.
 */
import type { CookieSerializeOptions } from "@fastify/cookie";
import type { FastifyReply, FastifyRequest } from "fastify";
import { TuppenceError } from "../../shared/errors.ts";
import type { AccessDeps } from "./deps.ts";
import { hashOfToken, makeToken } from "./tokens.ts";

export const SESSION_COOKIE = "tuppence_session";
const SESSION_SECONDS = 14 * 24 * 3_600;

type Tables = {
  sessions: { hash: string; owner_id: string; created_at: bigint | number; expires_at: bigint | number };
};

export async function beginSession(deps: AccessDeps, ownerId: string, reply: FastifyReply): Promise<void> {
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
  reply.setCookie(SESSION_COOKIE, token, { ...cookieOptions(deps), maxAge: SESSION_SECONDS });
}

export async function endSession(
  deps: AccessDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const token = request.cookies[SESSION_COOKIE];
  if (token !== undefined)
    await tables(deps).deleteFrom("sessions").where("hash", "=", hashOfToken(token)).execute();
  reply.clearCookie(SESSION_COOKIE, cookieOptions(deps));
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
    .where("hash", "!=", hashOfToken(request.cookies[SESSION_COOKIE] ?? ""))
    .execute();
}

/**
 * The owner who is signed in.
 *
 * @throws TuppenceError access_required, also where another site's page sent the request: the cookie stays at home by
 * itself (`SameSite`), this holds where a browser does not know that
 */
export async function ownerOfSession(deps: AccessDeps, request: FastifyRequest): Promise<string> {
  const { origin } = request.headers;
  const token = request.cookies[SESSION_COOKIE];
  if (token === undefined || (origin !== undefined && origin !== deps.config.accountsOrigin))
    throw new TuppenceError("access_required");
  const session = await tables(deps)
    .selectFrom("sessions")
    .select("owner_id")
    .where("hash", "=", hashOfToken(token))
    .where("expires_at", ">", deps.now())
    .executeTakeFirst();
  if (!session) throw new TuppenceError("access_required");
  return session.owner_id;
}

function cookieOptions({ config }: AccessDeps): CookieSerializeOptions {
  return {
    path: "/api",
    httpOnly: true,
    sameSite: "strict",
    secure: config.accountsOrigin.startsWith("https:"),
  };
}

function tables({ database }: Pick<AccessDeps, "database">) {
  return database.$extendTables<Tables>();
}
