/** The sites in the provider's database. What a merchant's record holds follows from here: `publishSites`. */
import { TuppenceError } from "../../shared/errors.ts";
import type { ProofMethod, Site } from "../../shared/protocol/dashboard.ts";
import type { SiteDeps } from "./deps.ts";
import { proofToken } from "./token.ts";

export const MAX_SITES_PER_MERCHANT = 20;

type Row = {
  merchant_id: string;
  origin: string;
  created_at: bigint | number;
  method: ProofMethod | null;
  proven_at: bigint | number | null;
  missing_since: bigint | number | null;
  next_check_at: bigint | number;
};

/** Nothing is changed where it is there. @throws TuppenceError too_many */
export async function addSite(deps: SiteDeps, merchantId: string, origin: string): Promise<void> {
  const sites = await listSites(deps, merchantId);
  if (sites.some((site) => site.origin === origin)) return;
  if (sites.length >= MAX_SITES_PER_MERCHANT)
    throw new TuppenceError("too_many", { most: MAX_SITES_PER_MERCHANT });
  const now = deps.now();
  await tables(deps)
    .insertInto("sites")
    .values({
      merchant_id: merchantId,
      origin,
      created_at: now,
      method: null,
      proven_at: null,
      missing_since: null,
      next_check_at: now,
    })
    .onConflict((conflict) => conflict.columns(["merchant_id", "origin"]).doNothing())
    .execute();
}

/** @throws TuppenceError site_unknown */
export async function removeSite(deps: SiteDeps, merchantId: string, origin: string): Promise<void> {
  await publishSites(deps, merchantId, origin);
  const { numDeletedRows } = await tables(deps)
    .deleteFrom("sites")
    .where("merchant_id", "=", merchantId)
    .where("origin", "=", origin)
    .executeTakeFirst();
  if (numDeletedRows === 0n) throw new TuppenceError("site_unknown");
  await publishSites(deps, merchantId);
}

/** In the order in which they were added. */
export async function listSites(deps: SiteDeps, merchantId: string): Promise<Site[]> {
  const rows = await tables(deps)
    .selectFrom("sites")
    .selectAll()
    .where("merchant_id", "=", merchantId)
    .orderBy("created_at")
    .orderBy("origin")
    .execute();
  return rows.map((row) => siteOf(deps, row));
}

export async function findSite(
  deps: SiteDeps,
  merchantId: string,
  origin: string,
): Promise<Site | undefined> {
  const row = await tables(deps)
    .selectFrom("sites")
    .selectAll()
    .where("merchant_id", "=", merchantId)
    .where("origin", "=", origin)
    .executeTakeFirst();
  return row && siteOf(deps, row);
}

/** Merchants that have proven this site, too: those whose proof was seen last come last. */
export async function otherMerchantsOf(
  deps: SiteDeps,
  merchantId: string,
  origin: string,
  limit: number,
): Promise<string[]> {
  const rows = await tables(deps)
    .selectFrom("sites")
    .select("merchant_id")
    .where("origin", "=", origin)
    .where("merchant_id", "!=", merchantId)
    .where("proven_at", "is not", null)
    .orderBy("proven_at")
    .limit(limit)
    .execute();
  return rows.map(({ merchant_id }) => merchant_id);
}

export async function updateSite(
  deps: SiteDeps,
  merchantId: string,
  origin: string,
  { method, provenAt, missingSince }: Pick<Site, "method" | "provenAt" | "missingSince">,
): Promise<void> {
  // What ends is taken out of the record first: should the process die in between, the next check finds a proven site and
  // mends the record. The other way round a lost one would stay in it.
  if (provenAt === null) await publishSites(deps, merchantId, origin);
  await tables(deps)
    .updateTable("sites")
    .set({ method, proven_at: provenAt, missing_since: missingSince })
    .where("merchant_id", "=", merchantId)
    .where("origin", "=", origin)
    .execute();
  await publishSites(deps, merchantId);
}

/** Takes some proven sites whose check is due, and puts it off in the same statement, so that of two processes one looks. */
export async function takeDueSites(
  deps: SiteDeps,
  nextCheckAt: number,
  limit: number,
): Promise<{ merchantId: string; origin: string }[]> {
  const rows = await tables(deps)
    .updateTable("sites")
    .set({ next_check_at: nextCheckAt })
    .where("next_check_at", "<=", deps.now())
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple("merchant_id", "origin"),
        "in",
        selectFrom("sites")
          .select(["merchant_id", "origin"])
          .where("next_check_at", "<=", deps.now())
          .where("proven_at", "is not", null)
          .orderBy("next_check_at")
          .limit(limit)
          .$asTuple("merchant_id", "origin"),
      ),
    )
    .returning(["merchant_id", "origin"])
    .execute();
  return rows.map(({ merchant_id, origin }) => ({ merchantId: merchant_id, origin }));
}

export async function putOffCheck(
  deps: SiteDeps,
  { merchantId, origin }: { readonly merchantId: string; readonly origin: string },
  nextCheckAt: number,
): Promise<void> {
  await tables(deps)
    .updateTable("sites")
    .set({ next_check_at: nextCheckAt })
    .where("merchant_id", "=", merchantId)
    .where("origin", "=", origin)
    .execute();
}

/**
 * Writes the proven sites into the merchant's record, and looks again: two that publish at the same moment may have
 * read before each other's change, and the last one then sees it.
 *
 * @param leaving one that is about to end
 */
async function publishSites(deps: SiteDeps, merchantId: string, leaving?: string): Promise<void> {
  for (let written: string | undefined; ; ) {
    const sites = await listSites(deps, merchantId);
    const origins = sites
      .filter(({ provenAt, origin }) => provenAt !== null && origin !== leaving)
      .map(({ origin }) => origin);
    if (written === origins.join(" ")) return;
    await deps.merchants.put({ id: merchantId, origins });
    written = origins.join(" ");
  }
}

function siteOf(deps: SiteDeps, row: Row): Site {
  return {
    origin: row.origin,
    token: proofToken(deps, row.merchant_id, row.origin),
    method: row.method,
    provenAt: row.proven_at === null ? null : Number(row.proven_at),
    missingSince: row.missing_since === null ? null : Number(row.missing_since),
  };
}

function tables({ database }: SiteDeps) {
  return database.$extendTables<{ sites: Row }>();
}
