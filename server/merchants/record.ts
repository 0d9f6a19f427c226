/** The merchant record: what the wallet shows instead of what a page says of itself. */
import type * as v from "valibot";
import { type SigningKey, signJws } from "../../shared/jws.ts";
import type { MerchantRecord } from "../../shared/protocol/provider.ts";
import type { Merchant } from "./merchant.ts";

const RECORD_TYPE = "tuppence-merchant+jwt";
/** A site that lost its verification keeps its record for no longer than this. */
const RECORD_SECONDS = 24 * 3_600;

export async function issueMerchantRecord(
  merchant: Merchant,
  issuer: string,
  key: SigningKey,
  nowSeconds: number,
): Promise<string> {
  const claims: v.InferInput<typeof MerchantRecord> = {
    iss: issuer,
    sub: merchant.id,
    name: merchant.name,
    origins: [...merchant.origins],
    frameParents: [...merchant.frameParents],
    refundWindowSeconds: merchant.refundWindowSeconds,
    ...(merchant.refundPolicy === null ? {} : { refundPolicy: merchant.refundPolicy }),
    iat: nowSeconds,
    exp: nowSeconds + RECORD_SECONDS,
  };
  return signJws(RECORD_TYPE, claims, key, "kid");
}
