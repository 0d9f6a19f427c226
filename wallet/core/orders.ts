/** From what a page asks to an order: everything judged and verified that paying needs, before anyone is asked. */
import { TuppenceError } from "../../shared/errors.ts";
import type { Micros } from "../../shared/money.ts";
import type { MerchantRecord } from "../../shared/protocol/provider.ts";
import { bringBack } from "./backup/restore.ts";
import { type Context, knowProvider } from "./context.ts";
import { verifiedMerchant } from "./merchants.ts";
import { judgeAmount, judgeOffer } from "./offers.ts";
import type { Order } from "./rows.ts";
import type { PageSender } from "./wallet.ts";

export interface Asked {
  readonly offer: unknown;
  readonly mode: "direct" | "http";
  /** For a tip: within what the reader chooses. */
  readonly range?: { readonly least: string; readonly most: string };
}

/** @throws TuppenceError whatever is wrong with page, offer or merchant */
export async function judgeOrder(context: Context, asked: Asked, sender: PageSender): Promise<Order> {
  refuseOpaque(sender);
  const { row } = await context.open();
  if (row.recovery === "pending") await bringBack(context);
  const { info } = await knowProvider(context);
  const { accepted, resourceUrl, acceptedJson, resourceJson } = judgeOffer(asked.offer, info, sender.origin);
  const range = asked.range && judgeRange(asked.range, accepted.amount, info.largestPayment);
  if (asked.range && accepted.extra.kind !== "tip") throw new TuppenceError("offer_invalid");
  const { merchant, asksForMerchant } = await verifiedMerchant(
    context,
    accepted.payTo,
    accepted.extra.merchantRecord,
    sender.origin,
  );
  refuseFrame(sender, merchant);
  return {
    mode: asked.mode,
    kind: accepted.extra.kind,
    title: accepted.extra.title,
    merchant: merchant.sub,
    merchantName: merchant.name,
    origin: sender.origin,
    resourceUrl,
    acceptedJson,
    resourceJson,
    amount: accepted.amount,
    least: range?.least ?? accepted.amount,
    most: range?.most ?? accepted.amount,
    refundWindowSeconds: merchant.refundWindowSeconds,
    refundPolicy: merchant.refundPolicy,
    maxTimeoutSeconds: accepted.maxTimeoutSeconds,
    seal: accepted.extra.seal,
    isPrivate: sender.isPrivate,
    asksForMerchant,
  };
}

/** @throws TuppenceError origin_opaque */
export function refuseOpaque({ origin, topOrigin }: PageSender): void {
  if (origin === "null" || topOrigin === "null") throw new TuppenceError("origin_opaque");
}

/** A frame may ask only where the merchant named the page around it: otherwise a page could lay it under a click. */
function refuseFrame(sender: PageSender, merchant: MerchantRecord): void {
  if (!sender.isTopFrame && !merchant.frameParents.includes(sender.topOrigin))
    throw new TuppenceError("frame_not_allowed");
}

function judgeRange(
  range: { readonly least: string; readonly most: string },
  amount: Micros,
  largest: Micros,
): { least: Micros; most: Micros } {
  const least = judgeAmount(range.least, largest);
  const most = judgeAmount(range.most, largest);
  if (least > amount || amount > most) throw new TuppenceError("amount_invalid");
  return { least, most };
}
