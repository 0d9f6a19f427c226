/** Keys for a merchant's programs: `tuppence_<id>_<secret>`, so that scanners of source code know one when they see it. */
import { timingSafeEqual } from "node:crypto";
import * as v from "valibot";
import { toHex } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { type ApiKey, Scope } from "../../shared/protocol/dashboard.ts";
import type { AccessDeps } from "./deps.ts";
import { hashOfToken, makeToken } from "./tokens.ts";

const MAX_KEYS_PER_MERCHANT = 50;
const ID_BYTES = 8;
/** How exactly the last use is known. Written no more often, or every request would be a write. */
const USE_RESOLUTION_MILLISECONDS = 3_600_000;

type Tables = {
  api_keys: {
    id: string;
    merchant_id: string;
    name: string;
    scopes: string;
    hash: string;
    created_at: bigint | number;
    last_used_at: bigint | number | null;
  };
};

/** @throws TuppenceError too_many */
export async function createApiKey(
  deps: AccessDeps,
  merchantId: string,
  { name, scopes }: Pick<ApiKey, "name" | "scopes">,
): Promise<{ key: ApiKey; token: string }> {
  if ((await listApiKeys(deps, merchantId)).length >= MAX_KEYS_PER_MERCHANT)
    throw new TuppenceError("too_many", { most: MAX_KEYS_PER_MERCHANT });
  const key: ApiKey = {
    id: toHex(deps.random(ID_BYTES)),
    name,
    scopes: [...new Set(scopes)],
    createdAt: deps.now(),
    lastUsedAt: null,
  };
  const secret = makeToken(deps);
  await tables(deps)
    .insertInto("api_keys")
    .values({
      id: key.id,
      merchant_id: merchantId,
      name,
      scopes: JSON.stringify(key.scopes),
      hash: hashOfToken(secret),
      created_at: key.createdAt,
      last_used_at: null,
    })
    .execute();
  return { key, token: `tuppence_${key.id}_${secret}` };
}

/** Oldest first. */
export async function listApiKeys(deps: AccessDeps, merchantId: string): Promise<ApiKey[]> {
  const rows = await tables(deps)
    .selectFrom("api_keys")
    .selectAll()
    .where("merchant_id", "=", merchantId)
    .orderBy("created_at")
    .orderBy("id")
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    scopes: v.parse(v.array(Scope), JSON.parse(row.scopes)),
    createdAt: Number(row.created_at),
    lastUsedAt: row.last_used_at === null ? null : Number(row.last_used_at),
  }));
}

/** At once and for ever. @throws TuppenceError api_key_unknown */
export async function revokeApiKey(deps: AccessDeps, merchantId: string, id: string): Promise<void> {
  const { numDeletedRows } = await tables(deps)
    .deleteFrom("api_keys")
    .where("id", "=", id)
    .where("merchant_id", "=", merchantId)
    .executeTakeFirst();
  if (numDeletedRows === 0n) throw new TuppenceError("api_key_unknown");
}

/** Whose key it is and what it may do; undefined if it opens nothing. */
export async function findApiKey(
  deps: AccessDeps,
  token: string,
): Promise<{ id: string; merchantId: string; scopes: readonly Scope[] } | undefined> {
  const [, id, secret] = /^tuppence_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/.exec(token) ?? [];
  if (id === undefined || secret === undefined) return undefined;
  const db = tables(deps);
  const row = await db.selectFrom("api_keys").selectAll().where("id", "=", id).executeTakeFirst();
  if (!row || !timingSafeEqual(Buffer.from(hashOfToken(secret)), Buffer.from(row.hash))) return undefined;
  if (Number(row.last_used_at ?? 0) + USE_RESOLUTION_MILLISECONDS <= deps.now())
    await db.updateTable("api_keys").set({ last_used_at: deps.now() }).where("id", "=", id).execute();
  return { id, merchantId: row.merchant_id, scopes: v.parse(v.array(Scope), JSON.parse(row.scopes)) };
}

function tables({ database }: Pick<AccessDeps, "database">) {
  return database.$extendTables<Tables>();
}
