/** Whether the price is bound: a genuine payment of a tenth of a cent, and a genuine receipt for one, must open nothing. */
import { type Micros, SMALLEST_COIN } from "../../../shared/money.ts";
import type { ReadOffer } from "../../../wallet/node/index.ts";
import { tryGet } from "./examination.ts";
import { findOtherAddress, type Probe } from "./receipts.ts";

const LESS: Micros = SMALLEST_COIN;

/**
 * At addresses that nobody bought anything at: the wallet pays nothing twice. Where every address is the same article to the back
 * end, the payment alone names another.
 */
export async function tryLess(probe: Probe): Promise<void> {
  await tryCheapPayment(probe);
  await tryCheapReceipt(probe);
}

/** The site sees a payment that pays exactly what it says, and that it did not ask for. Refused, its coin comes back at its expiry. */
async function tryCheapPayment(probe: Probe): Promise<void> {
  const { offer, opens, payer, program, spending } = probe;
  const other = await findOtherAddress(probe);
  const src = other?.src ?? probe.src;
  const cheap = cheapen(
    other?.offer ?? { ...offer, resource: `${offer.resource}#tuppence-doctor-${Date.now()}` },
  );
  const { paymentId, paymentSignature } = await program.pay(cheap.whole, src, LESS);
  if (paymentSignature === undefined) return;
  const answer = await tryGet(payer, src, { accept: "*/*", "PAYMENT-SIGNATURE": paymentSignature });
  if (answer && opens(answer))
    payer.find("price-not-bound", src, "a payment of 0.1¢, of which it says so itself");
  if ((await program.outcome(paymentId, src)) === "paid") {
    spending.add(LESS);
    await spending.takeBack(program, paymentId, LESS);
  }
}

async function tryCheapReceipt(probe: Probe): Promise<void> {
  const { opens, payer, program, spending } = probe;
  const other = await findOtherAddress(probe);
  if (!other)
    return payer.leaveOut(
      "whether a receipt of too little opens the article: no other paid address was found",
    );
  const { paymentId } = await program.payDirect(cheapen(other.offer), other.src, LESS);
  spending.add(LESS);
  const held = await program.bought(other.src, other.offer);
  const header = held && `${held.receipt}~${held.holderProof}`;
  const answer = header && (await tryGet(payer, other.src, { accept: "*/*", "PAYMENT-RECEIPT": header }));
  if (answer && opens(answer)) payer.find("receipt-too-small", other.src, "a receipt for 0.1¢");
  await spending.takeBack(program, paymentId, LESS);
}

function cheapen(offer: ReadOffer): ReadOffer {
  const terms = { ...offer.terms, amount: LESS.toString() };
  const whole = { ...offer.whole, accepts: [terms], resource: { url: offer.resource } };
  return { ...offer, terms, whole, amount: LESS };
}
