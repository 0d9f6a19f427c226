/** What is wrong with an offer: each thing for which a wallet, or the provider, would refuse it. */
import * as v from "valibot";
import { readUnverified, verifyJws } from "../../../shared/jws.ts";
import { formatMoney, isPayableInCoins } from "../../../shared/money.ts";
import { makeOffer } from "../../../shared/offer.ts";
import { MerchantRecord, type ProviderInfo } from "../../../shared/protocol/provider.ts";
import { networkOf, PaymentRequired, PaymentRequirements } from "../../../shared/protocol/x402.ts";
import { SealClaims } from "../../../shared/seal.ts";
import type { ReadOffer } from "../../../wallet/node/index.ts";
import { CommandError } from "../problem.ts";
import { checkOffer, type Fetch, fetchKeys, fetchMerchantRecord, fetchProvider } from "../provider.ts";
import type { Examination, Visitor } from "./examination.ts";

export interface OfferPlace {
  /** Where the offer was found. */
  readonly where: string;
  readonly isSealed: boolean;
  /** The page's address, and others under which it may call itself. */
  readonly page: string;
  readonly addresses: readonly string[];
}

export interface OfferDeps {
  readonly examination: Examination;
  readonly fetch: Fetch;
  readonly nowSeconds: number;
}

/** The merchant's record, where it can be had. */
export async function checkOfferOf(
  { whole, terms: written }: ReadOffer,
  place: OfferPlace,
  reader: Visitor,
  deps: OfferDeps,
): Promise<MerchantRecord | undefined> {
  const offer = v.safeParse(PaymentRequired, whole);
  const decoded = v.safeParse(PaymentRequirements, written);
  if (!offer.success || !decoded.success) {
    const issue = (offer.issues ?? decoded.issues)?.[0];
    reader.find("offer-unreadable", place.where, `${issue ? v.getDotPath(issue) : ""}: ${issue?.message}`);
    return undefined;
  }
  const terms = decoded.output;
  const resource = offer.output.resource.url;
  checkResource(resource, place, reader);
  if (place.isSealed) checkSealTerms(terms, resource, place, reader);
  const provider = await findProvider(terms.extra.provider, place, reader, deps);
  if (!provider) return undefined;
  if (provider.mode === "test") reader.find("provider-in-test-mode", place.where, provider.origin);
  checkPrice(terms, provider, place, reader);
  const record = await checkMerchant(terms, place, reader, deps);
  if (record && place.isSealed && terms.extra.seal !== undefined)
    await letProviderJudge(terms, resource, place, reader, deps);
  return record;
}

function checkResource(resource: string, { where, page, addresses }: OfferPlace, reader: Visitor): void {
  if (new URL(resource).origin !== new URL(page).origin) reader.find("resource-elsewhere", where, resource);
  else if (!addresses.includes(resource)) reader.find("resource-differs", where, resource);
}

function checkPrice(
  terms: PaymentRequirements,
  provider: ProviderInfo,
  { where }: OfferPlace,
  reader: Visitor,
): void {
  const { amount, asset, network } = terms;
  const isOfProvider = asset === provider.currency && network === networkOf(provider.currency);
  if (isOfProvider && isPayableInCoins(amount) && amount <= provider.largestPayment) return;
  reader.find("offer-not-payable", where, `${formatMoney(amount, asset)} on ${network}`);
}

function checkSealTerms(
  { amount, asset, payTo, extra }: PaymentRequirements,
  resource: string,
  { where }: OfferPlace,
  reader: Visitor,
): void {
  if (extra.seal === undefined) {
    reader.find("seal-missing", where);
    return;
  }
  const seal = readUnverified(extra.seal, SealClaims);
  const isSame =
    seal?.iss === payTo && seal.resource === resource && seal.amount === amount && seal.currency === asset;
  if (!isSame)
    reader.find(
      "seal-mismatch",
      where,
      seal ? `seal: ${formatMoney(seal.amount, seal.currency)} for ${seal.resource}` : "not a seal",
    );
}

async function findProvider(
  origin: string,
  { where }: OfferPlace,
  reader: Visitor,
  { examination, fetch }: OfferDeps,
): Promise<ProviderInfo | undefined> {
  if (await examination.requests.isHidden(origin).catch(() => false)) {
    reader.find("provider-private", where, origin);
    return undefined;
  }
  try {
    return await fetchProvider(origin, fetch);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    reader.find("provider-unreachable", where, error.message);
    return undefined;
  }
}

async function checkMerchant(
  { payTo, extra }: PaymentRequirements,
  place: OfferPlace,
  reader: Visitor,
  { fetch, nowSeconds }: OfferDeps,
): Promise<MerchantRecord | undefined> {
  const { keys } = await fetchKeys(extra.provider, fetch).catch(() => ({ keys: [] }));
  const verify = async (token: string | undefined) => {
    const record = token && (await verifyJws("tuppence-merchant+jwt", token, keys, MerchantRecord));
    return record && record.sub === payTo && record.iss === extra.provider ? record : undefined;
  };
  const current = await verify(await fetchMerchantRecord(extra.provider, payTo, fetch));
  if (!current) {
    reader.find("merchant-unknown", place.where, payTo);
    return undefined;
  }
  const carried = await verify(extra.merchantRecord);
  if (extra.merchantRecord !== undefined && !carried) reader.find("record-invalid", place.where, payTo);
  const isExpired = carried !== undefined && carried.exp <= nowSeconds;
  if (isExpired) reader.find("record-expired", place.where, new Date(carried.exp * 1_000).toISOString());
  // A wallet goes by the record that the page brings along, as long as that is good.
  const record = carried && !isExpired ? carried : current;
  const { origin } = new URL(place.page);
  if (!record.origins.includes(origin))
    reader.find("origin-not-registered", place.where, `${payTo}: ${record.origins.join(", ")}`);
  return record;
}

async function letProviderJudge(
  { amount, asset, payTo, extra }: PaymentRequirements,
  resource: string,
  { where }: OfferPlace,
  reader: Visitor,
  { fetch }: OfferDeps,
): Promise<void> {
  const { provider, kind, title, seal } = extra;
  const terms = { provider, merchant: payTo, amount, currency: asset, kind, title, resource };
  try {
    await checkOffer(provider, makeOffer({ ...terms, ...(seal === undefined ? {} : { seal }) }), fetch);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    reader.find("seal-refused", where, error.message);
  }
}
