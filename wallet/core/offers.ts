/** Judges an offer before anyone is asked or anything is paid: what it says, and where it stands. */
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { isPayableInCoins, MAX_AMOUNT, type Micros, parseMicros } from "../../shared/money.ts";
import type { ProviderInfo } from "../../shared/protocol/provider.ts";
import { PaymentRequired, PaymentRequirements, Resource, SCHEME } from "../../shared/protocol/x402.ts";

export interface JudgedOffer {
  readonly accepted: PaymentRequirements;
  readonly resourceUrl: string;
  /** As the page wrote them. */
  readonly acceptedJson: string;
  readonly resourceJson: string;
}

/**
 * The first of `accepts` that is `exact` on this wallet's network and its provider's.
 * @throws TuppenceError offer_invalid, offer_of_test_mode, offer_of_live_mode, currency_unknown, amount_*, provider_unknown,
 * resource_mismatch
 */
export function judgeOffer(offer: unknown, info: ProviderInfo, senderOrigin: string): JudgedOffer {
  const decoded = v.safeParse(PaymentRequired, offer);
  const raw = v.safeParse(RawOffer, offer);
  if (!decoded.success || !raw.success || isTooDeep(offer)) throw new TuppenceError("offer_invalid");
  const candidates = raw.output.accepts
    .map((accept) => v.safeParse(Candidate, accept))
    .filter(({ success }) => success);
  if (candidates.length === 0) throw new TuppenceError("offer_invalid");
  const offered = candidates.map(({ output }) => v.parse(Candidate, output));
  refuseOtherMode(offered, info);
  const payable = offered.filter(({ scheme, network }) => scheme === SCHEME && network === info.network);
  // A site may offer the test provider's terms beside the live one's.
  const ours = payable.find(({ extra }) => extra.provider === info.origin) ?? payable[0];
  if (!ours || ours.asset !== info.currency) throw new TuppenceError("currency_unknown");
  judgeAmount(ours.amount, info.largestPayment);
  if (ours.extra.provider !== info.origin) throw new TuppenceError("provider_unknown");
  const accepted = v.safeParse(PaymentRequirements, ours);
  if (!accepted.success) throw new TuppenceError("offer_invalid");
  const resourceUrl = decoded.output.resource.url;
  if (new URL(resourceUrl).origin !== senderOrigin) throw new TuppenceError("resource_mismatch");
  return {
    accepted: accepted.output,
    resourceUrl,
    acceptedJson: JSON.stringify(ours),
    resourceJson: JSON.stringify(raw.output.resource),
  };
}

/** Play money and real money are two providers' (docs/SITE-OWNERS.md): an offer for the other of the two is told as that. */
function refuseOtherMode(
  offered: readonly v.InferOutput<typeof Candidate>[],
  { origin, mode, counterpart }: ProviderInfo,
): void {
  const providers = offered.map(({ extra }) => extra.provider);
  if (counterpart === undefined || providers.includes(origin) || !providers.includes(counterpart)) return;
  throw new TuppenceError(mode === "test" ? "offer_of_live_mode" : "offer_of_test_mode");
}

/** An offer is four levels deep, and a site may put something of its own into it. */
const MAX_LEVELS = 32;

/** Nested so deeply that whoever walks through it, as JSON is written, runs out of stack. */
function isTooDeep(offer: unknown): boolean {
  let level = [offer];
  for (let depth = 0; depth < MAX_LEVELS && level.length > 0; depth++)
    level = level.flatMap((value) =>
      typeof value === "object" && value !== null ? Object.values(value) : [],
    );
  return level.length > 0;
}

/** @throws TuppenceError amount_invalid, amount_too_large, amount_not_payable */
export function judgeAmount(amount: unknown, largest: Micros): Micros {
  if (typeof amount !== "string" || !/^[1-9][0-9]*$/.test(amount)) throw new TuppenceError("amount_invalid");
  const parsed = parseMicros(amount);
  if (parsed === undefined || parsed > largest || parsed > MAX_AMOUNT)
    throw new TuppenceError("amount_too_large");
  if (!isPayableInCoins(parsed)) throw new TuppenceError("amount_not_payable");
  return parsed;
}

/** Unknown fields stay: a site's middleware compares what comes back with what it sent. */
const RawOffer = v.looseObject({ resource: v.looseObject(Resource.entries), accepts: v.array(v.unknown()) });
const Candidate = v.looseObject({
  scheme: v.string(),
  network: v.string(),
  amount: v.unknown(),
  asset: v.unknown(),
  extra: v.optional(v.looseObject({ provider: v.unknown() }), { provider: undefined }),
});
