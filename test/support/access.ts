/** Who may act for a merchant, made without a passkey: a signed-in owner, and keys for programs. */
import { createApiKey } from "../../server/access/api-keys.ts";
import { createMerchant, createOwner, makeOwnerId } from "../../server/access/owners.ts";
import { beginSession } from "../../server/access/sessions.ts";
import type { Deps } from "../../server/deps.ts";
import type { Scope } from "../../shared/protocol/dashboard.ts";

/** The headers of a browser in which the owner of a new merchant is signed in. */
export async function signInOwner(deps: Deps, merchant: string): Promise<Record<string, string>> {
  const owner = makeOwnerId(deps);
  await createOwner(deps, owner);
  await createMerchant(deps, owner, { id: merchant, name: `Merchant ${merchant}` });
  return signIn(deps, owner);
}

async function signIn(deps: Deps, owner: string): Promise<Record<string, string>> {
  let cookie = "";
  await beginSession(deps, owner, {
    setCookie(name, value) {
      cookie = `${name}=${value}`;
    },
  });
  if (cookie === "") throw new Error("no session began");
  return { cookie };
}

/** The headers of a browser in which the owner of a merchant is signed in that the operator registered. */
export async function signInNewOwner(deps: Deps, merchant: string): Promise<Record<string, string>> {
  const owner = makeOwnerId(deps);
  await createOwner(deps, owner);
  const { numUpdatedRows } = await deps.database
    .$extendTables<{ merchants: { id: string; owner_id: string | null } }>()
    .updateTable("merchants")
    .set({ owner_id: owner })
    .where("id", "=", merchant)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new Error(`there is no merchant ${merchant}`);
  return signIn(deps, owner);
}

/** The headers of a merchant's program. */
export async function makeKey(
  deps: Deps,
  merchant: string,
  ...scopes: Scope[]
): Promise<Record<string, string>> {
  const { token } = await createApiKey(deps, merchant, { name: "A program", scopes });
  return { authorization: `Bearer ${token}` };
}
