/** Random words that open something. Whoever reads the database finds their hashes only; they are too long to be guessed from those. */
import { createHash } from "node:crypto";
import { toBase64url } from "../../shared/bytes.ts";
import type { AccessDeps } from "./deps.ts";

const TOKEN_BYTES = 32;

/** 256 bits, in base64url. */
export function makeToken({ random }: Pick<AccessDeps, "random">): string {
  return toBase64url(random(TOKEN_BYTES));
}

export function hashOfToken(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}
