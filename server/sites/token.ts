/** What a site has to show: different for each merchant and site, so that nobody's proof is anybody else's. */
import { createHmac } from "node:crypto";
import type { SiteDeps } from "./deps.ts";

/** 32 characters of base64url: 192 bits. */
const TOKEN_LENGTH = 32;

export function proofToken(
  { secrets }: Pick<SiteDeps, "secrets">,
  merchantId: string,
  origin: string,
): string {
  return createHmac("sha256", secrets.siteProofSecret)
    .update(`tuppence site proof v1 ${merchantId} ${origin}`)
    .digest("base64url")
    .slice(0, TOKEN_LENGTH);
}
