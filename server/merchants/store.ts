/** Merchants in the provider's database. */
import { type Kysely, sql } from "kysely";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import type { Micros } from "../../shared/money.ts";
import { amount, seconds } from "../../shared/protocol/fields.ts";
import { Ed25519PublicJwk } from "../../shared/protocol/provider.ts";
import type { Merchant, MerchantUpdate } from "./merchant.ts";

export interface MerchantStore {
  get(id: string): Promise<Merchant | undefined>;
  /** By id. */
  list(): Promise<readonly Merchant[]>;
  /** A merchant without a site, of an owner who signed up. Undefined where the id is taken. */
  create(
    terms: Omit<MerchantUpdate, "origins"> & { readonly name: string; readonly ownerId: string },
  ): Promise<Merchant | undefined>;
  /** By id. */
  listOwned(ownerId: string): Promise<readonly Merchant[]>;
  /** Registers or updates. `isNew` is false where the id was there already. */
  put(registration: MerchantUpdate): Promise<{ readonly merchant: Merchant; readonly isNew: boolean }>;
}

export interface MerchantStoreOptions {
  // biome-ignore lint/complexity/noBannedTypes: the database without tables, as it is handed to every domain
  readonly database: Kysely<{}>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** For merchants that are registered without. */
  readonly config: { readonly refundWindowSeconds: number; readonly payoutMinimum: Micros };
}

/** How long a change by another process (the command line) may go unnoticed. A merchant not yet known is always looked up. */
const CACHE_MILLISECONDS = 1_000;
const MAX_CACHED_MERCHANTS = 10_000;
const PAGE_MERCHANTS = 10_000;

type Tables = { merchants: { id: string; created_at: bigint; value: string; owner_id: string | null } };

export function createMerchantStore({ database, now, config }: MerchantStoreOptions): MerchantStore {
  const db = database.withTables<Tables>();
  const cached = new Map<string, { readonly merchant: Merchant; readonly readAt: number }>();

  async function read(id: string): Promise<Merchant | undefined> {
    const row = await db.selectFrom("merchants").selectAll().where("id", "=", id).executeTakeFirst();
    return row && decode(row);
  }

  return {
    async get(id) {
      const known = cached.get(id);
      if (known && Math.abs(now() - known.readAt) < CACHE_MILLISECONDS) return known.merchant;
      const merchant = await read(id);
      if (cached.size >= MAX_CACHED_MERCHANTS) cached.clear();
      if (merchant) cached.set(id, { merchant, readAt: now() });
      else cached.delete(id);
      return merchant;
    },
    async list() {
      const merchants: Merchant[] = [];
      for (;;) {
        const rows = await db
          .selectFrom("merchants")
          .selectAll()
          .where("id", ">", merchants.at(-1)?.id ?? "")
          .orderBy("id")
          .limit(PAGE_MERCHANTS)
          .execute();
        merchants.push(...rows.map(decode));
        if (rows.length < PAGE_MERCHANTS) return merchants;
      }
    },
    async create({ id, ownerId, ...given }) {
      const value = JSON.stringify({
        ...encode(defaultsOf(config)),
        ...encode({ ...given, origins: [] }),
      });
      const { numInsertedOrUpdatedRows } = await db
        .insertInto("merchants")
        .values({ id, created_at: BigInt(now()), value, owner_id: ownerId })
        .onConflict((conflict) => conflict.column("id").doNothing())
        .executeTakeFirst();
      return numInsertedOrUpdatedRows === 0n ? undefined : read(id);
    },
    async listOwned(ownerId) {
      const rows = await db
        .selectFrom("merchants")
        .selectAll()
        .where("owner_id", "=", ownerId)
        .orderBy("id")
        .execute();
      return rows.map(decode);
    },
    async put(registration) {
      const isNew = (await read(registration.id)) === undefined;
      const given = encode(registration);
      const value = JSON.stringify({ ...encode(defaultsOf(config)), ...given });
      // One statement merges what is given into what is there, so that two updates at once do not undo each other.
      await db
        .insertInto("merchants")
        .values({ id: registration.id, created_at: BigInt(now()), value, owner_id: null })
        .onConflict((conflict) =>
          conflict
            .column("id")
            .doUpdateSet({ value: sql<string>`json_patch(merchants.value, ${JSON.stringify(given)})` }),
        )
        .execute();
      cached.delete(registration.id);
      const merchant = await read(registration.id);
      if (!merchant) throw new TuppenceError("internal");
      return { merchant, isNew };
    },
  };
}

const StoredMerchant = v.object({
  name: v.string(),
  origins: v.array(v.string()),
  frameParents: v.array(v.string()),
  refundWindowSeconds: seconds,
  refundsPerDay: v.optional(v.nullable(amount), null),
  refundPolicy: v.optional(v.nullable(v.string()), null),
  payoutMinimum: amount,
  sealKeys: v.array(Ed25519PublicJwk),
  sealsValidFrom: seconds,
});
type MerchantValues = {
  readonly [K in keyof v.InferOutput<typeof StoredMerchant>]?:
    | v.InferOutput<typeof StoredMerchant>[K]
    | undefined;
};

function decode(row: Tables["merchants"]): Merchant {
  return {
    id: row.id,
    ownerId: row.owner_id ?? undefined,
    createdAt: Number(row.created_at),
    ...v.parse(StoredMerchant, JSON.parse(row.value)),
  };
}

/** Only what is given. */
function encode(values: MerchantValues): object {
  const { name, origins, frameParents, refundWindowSeconds, sealKeys, sealsValidFrom } = values;
  const { refundsPerDay, refundPolicy, payoutMinimum } = values;
  return {
    ...(name === undefined ? {} : { name }),
    ...(origins && { origins: [...new Set(origins)] }),
    ...(frameParents && { frameParents: [...new Set(frameParents)] }),
    ...(refundWindowSeconds === undefined ? {} : { refundWindowSeconds }),
    ...(refundsPerDay === undefined ? {} : { refundsPerDay: refundsPerDay?.toString() ?? null }),
    ...(refundPolicy === undefined ? {} : { refundPolicy }),
    ...(payoutMinimum === undefined ? {} : { payoutMinimum: payoutMinimum.toString() }),
    ...(sealKeys && { sealKeys: sealKeys.map(({ kty, crv, x }) => ({ kty, crv, x })) }),
    ...(sealsValidFrom === undefined ? {} : { sealsValidFrom }),
  };
}

function defaultsOf({ refundWindowSeconds, payoutMinimum }: MerchantStoreOptions["config"]): MerchantValues {
  return { frameParents: [], refundWindowSeconds, payoutMinimum, sealKeys: [], sealsValidFrom: 0 };
}
