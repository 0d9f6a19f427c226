/** Ten codes on paper, for whoever lost every passkey. Each signs in once. */
import { TuppenceError } from "../../shared/errors.ts";
import type { AccessDeps } from "./deps.ts";
import { hashOfToken } from "./tokens.ts";

const CODES = 10;
const CODE_CHARACTERS = 16;
const GROUP_CHARACTERS = 4;
/** Crockford's base 32: nothing in it is taken for something else. 16 of them are 80 bits, which nobody guesses over a network. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

type Tables = { recovery_codes: { hash: string; owner_id: string; used_at: bigint | number | null } };

/** Makes new ones; those before open nothing any more. */
export async function makeRecoveryCodes(deps: AccessDeps, ownerId: string): Promise<string[]> {
  const codes = Array.from({ length: CODES }, () => makeCode(deps));
  const db = tables(deps);
  await db.deleteFrom("recovery_codes").where("owner_id", "=", ownerId).execute();
  await db
    .insertInto("recovery_codes")
    .values(codes.map((code) => ({ hash: hashOfCode(code), owner_id: ownerId, used_at: null })))
    .execute();
  return codes;
}

export async function countRecoveryCodes(deps: AccessDeps, ownerId: string): Promise<number> {
  const rows = await tables(deps)
    .selectFrom("recovery_codes")
    .select("hash")
    .where("owner_id", "=", ownerId)
    .where("used_at", "is", null)
    .execute();
  return rows.length;
}

/** Whose code it was. @throws TuppenceError recovery_code_invalid */
export async function useRecoveryCode(deps: AccessDeps, code: string): Promise<string> {
  const used = await tables(deps)
    .updateTable("recovery_codes")
    .set({ used_at: deps.now() })
    .where("hash", "=", hashOfCode(code))
    .where("used_at", "is", null)
    .returning("owner_id")
    .executeTakeFirst();
  if (!used) throw new TuppenceError("recovery_code_invalid");
  return used.owner_id;
}

function makeCode({ random }: AccessDeps): string {
  // 256 is a multiple of 32: every character is as likely as every other.
  const characters = [...random(CODE_CHARACTERS)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
  return (characters.match(new RegExp(`.{${GROUP_CHARACTERS}}`, "g")) ?? []).join("-");
}

/** As people type it: in any case, with any gaps, and with the letters that look like others. */
function hashOfCode(code: string): string {
  const plain = code.toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  return hashOfToken(plain);
}

function tables({ database }: AccessDeps) {
  return database.$extendTables<Tables>();
}
