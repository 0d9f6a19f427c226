/** The operator's token, by which merchants are registered and settlements started. */
import { createHash, timingSafeEqual } from "node:crypto";
import { TuppenceError } from "../../shared/errors.ts";

export interface AdminDeps {
  readonly secrets: { readonly adminToken: string };
}

/** @throws TuppenceError admin_token_invalid */
export function requireAdmin(deps: AdminDeps, authorization: string | undefined): void {
  const [, token] = /^Bearer ([A-Za-z0-9._~+/-]{1,200}=*)$/i.exec(authorization ?? "") ?? [];
  // Hashed first: the comparison needs equal lengths, and must tell nobody the length or how much of it was right.
  if (token === undefined || !timingSafeEqual(hashOf(token), hashOf(deps.secrets.adminToken)))
    throw new TuppenceError("admin_token_invalid");
}

function hashOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
