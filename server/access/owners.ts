/** Site owners, and whose merchant is whose. */
import { toHex } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { MAX_MERCHANTS_PER_OWNER } from "../../shared/protocol/dashboard.ts";
import type { Merchant } from "../merchants/index.ts";
import type { AccessDeps } from "./deps.ts";

const OWNER_ID_BYTES = 16;

type Tables = { owners: { id: string; created_at: bigint | number } };

/** Random: it is given to the authenticator, and says nothing of the person. */
export function makeOwnerId({ random }: Pick<AccessDeps, "random">): string {
  return toHex(random(OWNER_ID_BYTES));
}

/** Nothing is changed where there is one with this id. */
export async function createOwner({ database, now }: AccessDeps, id: string): Promise<void> {
  await database
    .$extendTables<Tables>()
    .insertInto("owners")
    .values({ id, created_at: now() })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
}

/** @throws TuppenceError merchant_taken, too_many */
export async function createMerchant(
  { merchants }: AccessDeps,
  ownerId: string,
  { id, name }: { readonly id: string; readonly name: string },
): Promise<Merchant> {
  if ((await merchants.listOwned(ownerId)).length >= MAX_MERCHANTS_PER_OWNER)
    throw new TuppenceError("too_many", { most: MAX_MERCHANTS_PER_OWNER });
  const merchant = await merchants.create({ id, name, ownerId });
  if (!merchant) throw new TuppenceError("merchant_taken");
  return merchant;
}
