/** Who is paid: the provider's signed record of the merchant, from the offer, from what was asked before, or asked now. */
import { TuppenceError } from "../../shared/errors.ts";
import { readUnverified, verifyJws } from "../../shared/jws.ts";
import { MerchantRecord } from "../../shared/protocol/provider.ts";
import { type Context, knowProvider, refreshProvider } from "./context.ts";

/** A record from before a site was added would refuse it for a day; one that is older than this is asked for again. */
const RECHECK_ORIGIN_AFTER_MS = 60_000;

interface VerifiedMerchant {
  readonly merchant: MerchantRecord;
  /** The provider was asked who it is, because the page did not bring that along. */
  readonly asksForMerchant: boolean;
}

/**
 * The merchant, if `origin` is one of its verified sites.
 * @throws TuppenceError merchant_unknown, merchant_record_invalid, origin_not_verified, provider_*
 */
export async function verifiedMerchant(
  context: Context,
  merchantId: string,
  recordInOffer: string | undefined,
  origin: string,
): Promise<VerifiedMerchant> {
  const inOffer =
    recordInOffer === undefined ? undefined : await freshRecord(context, recordInOffer, merchantId);
  const merchant = inOffer ?? (await askedRecord(context, merchantId, origin));
  if (!merchant.origins.includes(origin)) throw new TuppenceError("origin_not_verified");
  return { merchant, asksForMerchant: inOffer === undefined };
}

async function freshRecord(
  context: Context,
  recordInOffer: string,
  merchantId: string,
): Promise<MerchantRecord | undefined> {
  const record = await verifyRecord(context, recordInOffer, merchantId);
  return record.exp > context.nowSeconds() ? record : undefined;
}

/** Now, or within the day. */
async function askedRecord(context: Context, merchantId: string, origin: string): Promise<MerchantRecord> {
  const kept = await context.store.read((tables) => tables.merchants.get(merchantId));
  if (kept) {
    const record = readUnverified(kept.record, MerchantRecord);
    const isRecent = context.nowMs() - kept.fetchedAt < RECHECK_ORIGIN_AFTER_MS;
    if (record && record.exp > context.nowSeconds() && (isRecent || record.origins.includes(origin)))
      return record;
  }
  const { provider } = await context.open();
  const token = await provider.merchant(merchantId).catch((error: unknown) => {
    throw error instanceof TuppenceError && error.code === "not_found"
      ? new TuppenceError("merchant_unknown")
      : error;
  });
  const record = await verifyRecord(context, token, merchantId);
  if (record.exp <= context.nowSeconds()) throw new TuppenceError("merchant_record_invalid");
  await context.store.transaction((tables) =>
    tables.merchants.put({ id: merchantId, record: token, fetchedAt: context.nowMs() }),
  );
  return record;
}

/** @throws TuppenceError merchant_record_invalid: altered, of another merchant, or by nobody we know */
async function verifyRecord(context: Context, token: string, merchantId: string): Promise<MerchantRecord> {
  const { info, jwks } = await knowProvider(context);
  const record =
    (await verifyJws("tuppence-merchant+jwt", token, jwks.keys, MerchantRecord)) ??
    // The provider may have taken a new key into use since it was asked for its keys.
    (await verifyJws("tuppence-merchant+jwt", token, (await refreshedKeys(context)) ?? [], MerchantRecord));
  if (!record || record.iss !== info.origin || record.sub !== merchantId)
    throw new TuppenceError("merchant_record_invalid");
  return record;
}

async function refreshedKeys(context: Context) {
  return refreshProvider(context).then(
    ({ jwks }) => jwks.keys,
    () => undefined,
  );
}
