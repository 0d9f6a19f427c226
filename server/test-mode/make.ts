/** The live provider's side: who it is and what they have, signed for the test provider and for a minute. */
import type * as v from "valibot";
import { toHex } from "../../shared/bytes.ts";
import { signJws } from "../../shared/jws.ts";
import { HANDOVER_SECONDS, type HandoverClaims } from "../../shared/protocol/handover.ts";
import type { Merchant } from "../merchants/index.ts";
import type { PairedDeps } from "./deps.ts";

const ID_BYTES = 16;

export async function makeHandover(deps: PairedDeps, owner: string, nonceHash: string): Promise<string> {
  const { config, secrets, random, now, merchants } = deps;
  const iat = Math.floor(now() / 1_000);
  const claims: v.InferInput<typeof HandoverClaims> = {
    iss: config.origin,
    aud: config.counterpart.accountsOrigin,
    jti: toHex(random(ID_BYTES)),
    nonceHash,
    owner,
    merchants: (await merchants.listOwned(owner)).map(handed),
    iat,
    exp: iat + HANDOVER_SECONDS,
  };
  return signJws("tuppence-handover+jwt", claims, secrets.signingKey, "kid");
}

function handed(merchant: Merchant): v.InferInput<typeof HandoverClaims>["merchants"][number] {
  const { id, name, refundWindowSeconds, sealsValidFrom, refundsPerDay, payoutMinimum, refundPolicy } =
    merchant;
  return {
    id,
    name,
    origins: [...merchant.origins],
    refundWindowSeconds,
    refundsPerDay: refundsPerDay?.toString() ?? null,
    payoutMinimum: payoutMinimum.toString(),
    refundPolicy,
    frameParents: [...merchant.frameParents],
    sealKeys: [...merchant.sealKeys],
    sealsValidFrom,
  };
}
