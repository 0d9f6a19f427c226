/**
 * The test provider's side. A handover counts if the live provider signed it, for this provider, less than a minute ago, for the
 * browser that shows it, and if nobody has shown it before. Whoever shows it is told nothing but that it does not count.
 */
import type * as v from "valibot";
import { fromHex, sha256, toHex } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import {
  HANDOVER_SECONDS,
  type HandedMerchant,
  type HandoverClaims,
  type HandoverShown,
} from "../../shared/protocol/handover.ts";
import { createOwner } from "../access/index.ts";
import { bringSites } from "../sites/index.ts";
import type { PairedDeps } from "./deps.ts";
import type { LiveKeys } from "./live-keys.ts";

/** How far the two providers' clocks may be apart. */
const CLOCK_SECONDS = 30;

type Tables = { used_handovers: { id: string; expires_at: bigint | number } };

/** @throws TuppenceError handover_invalid, counterpart_unreachable */
export async function acceptHandover(
  deps: PairedDeps,
  keys: LiveKeys,
  { handover, nonce }: v.InferOutput<typeof HandoverShown>,
): Promise<{ readonly owner: string; readonly leftOut: readonly string[] }> {
  const claims = await keys.verify(handover);
  const isFromHere = claims?.nonceHash === toHex(await sha256(fromHex(nonce)));
  if (!claims || !isFromHere || !isForHere(deps, claims) || !(await useOnce(deps, claims)))
    throw new TuppenceError("handover_invalid");
  await createOwner(deps, claims.owner);
  const leftOut: string[] = [];
  for (const merchant of claims.merchants)
    if (!(await bringMerchant(deps, claims.owner, merchant))) leftOut.push(merchant.id);
  return { owner: claims.owner, leftOut };
}

function isForHere({ config, now }: PairedDeps, { iss, aud, iat, exp }: HandoverClaims): boolean {
  const nowSeconds = Math.floor(now() / 1_000);
  return (
    iss === config.counterpart.origin &&
    aud === config.accountsOrigin &&
    iat <= nowSeconds + CLOCK_SECONDS &&
    exp <= iat + HANDOVER_SECONDS &&
    exp > nowSeconds
  );
}

/** Of two who show the same one at the same moment one wins. */
async function useOnce({ database, now }: PairedDeps, { jti, exp }: HandoverClaims): Promise<boolean> {
  const db = database.$extendTables<Tables>();
  await db.deleteFrom("used_handovers").where("expires_at", "<=", now()).execute();
  const { numInsertedOrUpdatedRows } = await db
    .insertInto("used_handovers")
    .values({ id: jti, expires_at: exp * 1_000 })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/**
 * The first time with all its settings; after that its name and its sites follow, and what its owner tries out here stays.
 * False where the id is somebody else's: the operator may have registered it here.
 */
async function bringMerchant(deps: PairedDeps, owner: string, merchant: HandedMerchant): Promise<boolean> {
  const { origins, ...settings } = merchant;
  const isNew = (await deps.merchants.create({ ...settings, ownerId: owner })) !== undefined;
  if (!isNew) {
    if ((await deps.merchants.get(merchant.id))?.ownerId !== owner) return false;
    await deps.merchants.put({ id: merchant.id, name: merchant.name });
  }
  await bringSites(deps, merchant.id, origins);
  return true;
}
