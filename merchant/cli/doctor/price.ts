/** Whether the price is bound: a genuine payment of a tenth of a cent, and a genuine receipt for one, must open nothing. */
import { type Micros, SMALLEST_COIN } from "../../../shared/money.ts";
import { type ReadOffer, readOfferHeader } from "../../../wallet/node/index.ts";
import { tryGet } from "./examination.ts";
import { type Probe, withProbeAddress } from "./receipts.ts";

const LESS: Micros = SMALLEST_COIN;

/**
 * Before the article is bought, and given back: what the wallet has a receipt for it does not buy again. Whether it was given back;
 * else the article counts as bought.
 */
export async function tryCheapReceipt({
  src,
  offer,
  opens,
  payer,
  program,
  spending,
}: Probe): Promise<boolean> {
  const { paymentId } = await program.payDirect(cheapen(offer), src, LESS);
  spending.add(LESS);
  const held = await program.bought(src, offer);
  const header = held && `${held.receipt}~${held.holderProof}`;
  const answer = header && (await tryGet(payer, src, { accept: "*/*", "PAYMENT-RECEIPT": header }));
  if (answer && opens(answer)) payer.find("receipt-too-small", src, "a receipt for 0.1¢");
  if (await spending.takeBack(program, paymentId, LESS)) return true;
  payer.leaveOut(
    "the payment: the provider did not give back 0.1¢ that was paid for a receipt of too little",
  );
  return false;
}

/**
 * What the site sees pays exactly what it says itself, and is not what the site asked for. Refused, its coin comes back when the
 * payment has expired: the next command with this wallet takes it in.
 */
export async function tryCheapPayment({ src, offer, opens, payer, program, spending }: Probe): Promise<void> {
  const probe = withProbeAddress(offer);
  const url = new URL(src);
  url.search = new URL(probe.resource).search;
  const asked = await tryGet(payer, url.href, { accept: "*/*" });
  const own = asked?.status === 402 ? readOfferHeader(asked.headers.get("PAYMENT-REQUIRED")) : undefined;
  // As the back end would sell it there; where that is the same article to it, the payment alone names another.
  const at = own && own.resource !== offer.resource ? { src: url.href, offer: own } : { src, offer: probe };
  const { paymentId, paymentSignature } = await program.pay(cheapen(at.offer).whole, at.src, LESS);
  if (paymentSignature === undefined) return;
  const answer = await tryGet(payer, at.src, { accept: "*/*", "PAYMENT-SIGNATURE": paymentSignature });
  if (answer && opens(answer))
    payer.find("price-not-bound", at.src, "a payment that says itself that it is of 0.1¢");
  if ((await program.outcome(paymentId, at.src)) !== "paid") return;
  spending.add(LESS);
  await spending.takeBack(program, paymentId, LESS);
}

function cheapen(offer: ReadOffer): ReadOffer {
  const terms = { ...offer.terms, amount: LESS.toString() };
  return { ...offer, terms, whole: { ...offer.whole, accepts: [terms] }, amount: LESS };
}
