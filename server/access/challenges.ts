/** What a passkey has to sign: each once, for one purpose, within minutes. */
import type { AccessDeps } from "./deps.ts";

/** As long as the browser's own dialogue may stay open. */
export const CHALLENGE_MILLISECONDS = 5 * 60_000;

export type Purpose = "sign-up" | "add-passkey" | "sign-in";

type Tables = {
  challenges: { challenge: string; purpose: string; owner_id: string; expires_at: bigint | number };
};

/** @param ownerId whose passkey it will be; empty for a sign-in, where the passkey says it */
export async function keepChallenge(
  deps: AccessDeps,
  challenge: string,
  purpose: Purpose,
  ownerId: string,
): Promise<void> {
  const db = tables(deps);
  await db.deleteFrom("challenges").where("expires_at", "<=", deps.now()).execute();
  await db
    .insertInto("challenges")
    .values({ challenge, purpose, owner_id: ownerId, expires_at: deps.now() + CHALLENGE_MILLISECONDS })
    .execute();
}

/** The owner it was made for; undefined if there is no such challenge, or no more. Whoever takes it is the last. */
export async function takeChallenge(
  deps: AccessDeps,
  challenge: string,
  purpose: Purpose,
): Promise<string | undefined> {
  const taken = await tables(deps)
    .deleteFrom("challenges")
    .where("challenge", "=", challenge)
    .where("purpose", "=", purpose)
    .where("expires_at", ">", deps.now())
    .returning("owner_id")
    .executeTakeFirst();
  return taken?.owner_id;
}

function tables({ database }: AccessDeps) {
  return database.$extendTables<Tables>();
}
