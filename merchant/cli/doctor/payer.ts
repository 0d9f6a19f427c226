/**
 * The visit of a paying reader. It buys one article, and tries what must not open it: altered receipts, those of other articles,
 * old proofs, payments of too little. At no moment has it given more than was allowed, and all of it is taken back where the
 * merchant's refund window allows, so that the next visit sees the same.
 */
import { decryptArticle } from "../../../shared/article.ts";
import { fromBase64url } from "../../../shared/bytes.ts";
import { ERRORS, TuppenceError } from "../../../shared/errors.ts";
import { formatMoney, type Micros, SMALLEST_COIN, subtract } from "../../../shared/money.ts";
import {
  AlreadyBoughtError,
  createPayingFetch,
  type ProgramWallet,
  type ReadOffer,
} from "../../../wallet/node/index.ts";
import { isLongEnough, makeLeakFinder } from "../leak.ts";
import { checkAfterwards, checkPaidAnswer } from "./cache.ts";
import { type Examination, isOk, type Visitor } from "./examination.ts";
import { textsOf } from "./leaks.ts";
import { tryCheapPayment, tryCheapReceipt } from "./price.ts";
import type { SealedWare, ServedWare, Ware } from "./reader.ts";
import { type Probe, tryOtherReceipt, tryReceipts } from "./receipts.ts";
import { type Answer, NoAnswerError } from "./requests.ts";
import { keepSpending, type Spending } from "./spending.ts";

export interface Purse {
  readonly program: ProgramWallet;
  /** Of all that is paid in one visit. */
  readonly max: Micros;
}

export interface PayerDeps {
  readonly examination: Examination;
  readonly purse: Purse;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Purchase {
  /** The paid text, where it could be had. */
  readonly paidHtml: string | undefined;
  /** All that was paid and not paid back. */
  readonly spent: Micros;
}

export async function visitAsPayer(wares: readonly Ware[], deps: PayerDeps): Promise<Purchase> {
  const spending = keepSpending();
  const paidHtml = await buy(wares, deps, spending);
  return { paidHtml, spent: spending.total() };
}

async function buy(wares: readonly Ware[], deps: PayerDeps, spending: Spending): Promise<string | undefined> {
  const payer = deps.examination.visitor("payer");
  // Behind a back end there is more that can go wrong.
  const ware = wares.find(({ kind }) => kind === "served") ?? wares[0];
  if (!ware) {
    payer.leaveOut("everything: the page offers nothing that could be paid");
    return undefined;
  }
  const { offer } = ware;
  const refusal = await whyNot(offer, deps.purse);
  if (refusal !== undefined) {
    payer.leaveOut(refusal);
    return undefined;
  }
  if (wares.length > 1) payer.leaveOut(`the other ${wares.length - 1} of the page: one article is bought`);
  const place = ware.kind === "served" ? ware.src : ware.page;
  try {
    return await (ware.kind === "sealed"
      ? buySealed(ware, payer, deps, spending)
      : buyServed(ware, payer, deps, spending));
  } catch (error) {
    if (error instanceof NoAnswerError) payer.leaveOut(error.message);
    else if (error instanceof AlreadyBoughtError) payer.find("receipt-not-accepted", place);
    else if (error instanceof TuppenceError && error.code === "site_failed")
      payer.find("payment-not-taken", place);
    else if (error instanceof TuppenceError) payer.leaveOut(`the payment: ${ERRORS[error.code].title}`);
    else throw error;
    return undefined;
  }
}

async function whyNot(
  { amount, currency, terms }: ReadOffer,
  { program, max }: Purse,
): Promise<string | undefined> {
  if (amount > max)
    return `the payment: it costs ${formatMoney(amount, currency)}, and --max is ${formatMoney(max, currency)}`;
  const { provider, balance } = await program.wallet.snapshot();
  const extra = "extra" in terms && typeof terms.extra === "object" ? terms.extra : {};
  const offered = extra !== null && "provider" in extra ? extra.provider : undefined;
  if (offered !== provider.origin)
    return `the payment: the wallet is at ${provider.origin}, the offer at ${offered}`;
  return BigInt(balance.total) < amount ? "the payment: there is not enough in the wallet" : undefined;
}

async function buySealed(
  { offer, page, sealed, refundWindowSeconds }: SealedWare,
  payer: Visitor,
  { purse: { program, max } }: PayerDeps,
  spending: Spending,
): Promise<string | undefined> {
  const wasBought = (await program.bought(page, offer)) !== undefined;
  const { contentKey, paymentId } = await program.payDirect(offer, page, max);
  if (!wasBought) spending.add(offer.amount);
  const html = contentKey && (await decryptArticle(sealed, fromBase64url(contentKey), offer.resource));
  if (!html) payer.find("article-unreadable", page);
  if (!wasBought && refundWindowSeconds > 0) await spending.takeBack(program, paymentId, offer.amount);
  return html === "" ? undefined : html;
}

async function buyServed(
  { src, offer, refundWindowSeconds }: ServedWare,
  payer: Visitor,
  { examination: { requests, visitor }, purse: { program, max }, now }: PayerDeps,
  spending: Spending,
): Promise<string | undefined> {
  const wasBought = (await program.bought(src, offer)) !== undefined;
  const canTakeBack = refundWindowSeconds > 0;
  const probe: Probe = { src, offer, payer, program, spending, opens: isOk };
  if (wasBought) payer.leaveOut("the payment: the wallet bought this before, and came back with its receipt");
  else if (!canTakeBack)
    payer.leaveOut("receipts of too little: the merchant gives no money back, and they would stay paid");
  else if (offer.amount > SMALLEST_COIN && !(await tryCheapReceipt(probe))) return undefined;

  const buy = createPayingFetch(program, { max, fetch: requests.fetch });
  const paid = await requests.take(src, await buy(src, { headers: payer.headers }));
  if (!isOk(paid)) {
    payer.find("payment-not-taken", src, `${paid.status}`);
    return undefined;
  }
  if (!wasBought) spending.add(offer.amount);
  const cache = visitor("cache");
  const opens = makeOpens(paid);
  checkPaidAnswer(paid, cache);
  await checkAfterwards(paid, opens, cache);

  const bought: Probe = { ...probe, opens };
  const left = () => subtract(max, spending.total());
  if (await tryReceipts(bought, now())) {
    if (!canTakeBack) payer.leaveOut("receipts of other articles: the merchant gives no money back");
    else if (left() < offer.amount)
      payer.leaveOut("receipts of other articles: --max must be twice the price, of which one comes back");
    else await tryOtherReceipt(bought);
    if (offer.amount <= SMALLEST_COIN) payer.leaveOut("payments of less: there is no smaller coin");
    else if (left() < SMALLEST_COIN)
      payer.leaveOut("payments of less: --max must be 0.1¢ above the price, which comes back");
    else await tryCheapPayment(bought);
  }
  const held = wasBought || !canTakeBack ? undefined : await program.bought(src, offer);
  if (held) await spending.takeBack(program, held.paymentId, offer.amount);
  return paid.body;
}

/** Whether an answer is the article: a run of its words, or all of it where it is short. */
function makeOpens(paid: Answer): Probe["opens"] {
  if (!isLongEnough(paid.body)) return (answer) => isOk(answer) && answer.body === paid.body;
  const find = makeLeakFinder([{ owner: "", html: paid.body }]);
  return (answer) => isOk(answer) && textsOf(answer).some((text) => find(text) !== undefined);
}
