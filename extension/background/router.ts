/**
 * Every message that reaches the background, each decoded, each to its one handler. A page hears an answer, an error
 * included, only where it may know of the wallet; the extension's own pages always do.
 */
import * as v from "valibot";
import { type ErrorCode, TuppenceError, tellReader } from "../../shared/errors.ts";
import {
  type PageError,
  PageRequest,
  type PageRequestType,
  type PageResponse,
  type PageResults,
  PROTOCOL_VERSION,
  RelayedMessage,
  TipJarMessage,
} from "../../shared/protocol/page.ts";
import {
  UiRequest,
  type UiRequestType,
  type UiResponse,
  type UiResultJson,
} from "../../shared/protocol/ui.ts";
import type { PageSender, Wallet } from "../../wallet/core/index.ts";
import type { Background } from "./compose.ts";
import { entitlement } from "./handlers/page/entitlement.ts";
import { pay } from "./handlers/page/pay.ts";
import { status } from "./handlers/page/status.ts";
import { tip } from "./handlers/page/tip.ts";
import { closeAccount } from "./handlers/ui/closeAccount.ts";
import { confirmPhrase } from "./handlers/ui/confirmPhrase.ts";
import { createWallet } from "./handlers/ui/createWallet.ts";
import { decide } from "./handlers/ui/decide.ts";
import { depositAll } from "./handlers/ui/depositAll.ts";
import { eraseWallet } from "./handlers/ui/eraseWallet.ts";
import { exportHistory } from "./handlers/ui/exportHistory.ts";
import { forgetSite } from "./handlers/ui/forgetSite.ts";
import { history } from "./handlers/ui/history.ts";
import { lock } from "./handlers/ui/lock.ts";
import { payment } from "./handlers/ui/payment.ts";
import { protect } from "./handlers/ui/protect.ts";
import { putOffPhrase } from "./handlers/ui/putOffPhrase.ts";
import { refund } from "./handlers/ui/refund.ts";
import { removeAllowance } from "./handlers/ui/removeAllowance.ts";
import { saveBackup } from "./handlers/ui/saveBackup.ts";
import { setAllowance } from "./handlers/ui/setAllowance.ts";
import { setMonthlyLimit } from "./handlers/ui/setMonthlyLimit.ts";
import { setPaused } from "./handlers/ui/setPaused.ts";
import { setTestMode } from "./handlers/ui/setTestMode.ts";
import { showPhrase } from "./handlers/ui/showPhrase.ts";
import { showQuestion } from "./handlers/ui/showQuestion.ts";
import { snapshot } from "./handlers/ui/snapshot.ts";
import { spending } from "./handlers/ui/spending.ts";
import { startTip } from "./handlers/ui/startTip.ts";
import { takeOver } from "./handlers/ui/takeOver.ts";
import { tipSite } from "./handlers/ui/tipSite.ts";
import { topUp } from "./handlers/ui/topUp.ts";
import { unlock } from "./handlers/ui/unlock.ts";
import { light } from "./light.ts";
import { isOwnPage, readFrame } from "./sender.ts";
import { underWay } from "./under-way.ts";

/** The answer to a message; undefined where it is nobody's of ours. */
export function answer(
  current: () => Promise<Background>,
  message: unknown,
  sender: unknown,
): Promise<string | null | UiResponse> | undefined {
  if (v.is(TipJarMessage, message))
    return current().then(async (background) => {
      await light(background, sender);
      return null;
    });
  const relayed = v.safeParse(RelayedMessage, message);
  if (relayed.success)
    return current().then((background) => {
      if (!relayed.output.clicked) return answerPage(background, relayed.output, sender);
      return underWay(background, () => answerPage(background, relayed.output, sender));
    });
  return isOwnPage(sender) ? current().then((background) => answerUi(background, message)) : undefined;
}

async function answerPage(
  { wallet, lock: keeper }: Background,
  { message, clicked }: RelayedMessage,
  browserSender: unknown,
): Promise<string | null> {
  const sender = readFrame(browserSender, clicked);
  if (sender === undefined || !(await wallet.mayAnswer(sender))) return null;
  const json = parseJson(message);
  const request = v.safeParse(PageRequest, json);
  if (!request.success) {
    const named = v.safeParse(NamedRequest, json);
    return named.success
      ? write({ v: PROTOCOL_VERSION, id: named.output.id, error: describe("message_invalid") })
      : null;
  }
  const { id } = request.output;
  try {
    if (sender.clicked) await keeper.admit();
    return write({ v: PROTOCOL_VERSION, id, ok: { ...(await handlePage(wallet, request.output, sender)) } });
  } catch (error) {
    return write({ v: PROTOCOL_VERSION, id, error: describe(codeOf(error)) });
  }
}

/** Enough of a request to say that it does not decode. */
const NamedRequest = v.object({ id: PageRequest.options[0].entries.id });

function handlePage(
  wallet: Wallet,
  request: PageRequest,
  sender: PageSender,
): Promise<PageResults[PageRequestType]> {
  switch (request.type) {
    case "pay":
      return pay(wallet, request, sender);
    case "tip":
      return tip(wallet, request, sender);
    case "entitlement":
      return entitlement(wallet, request, sender);
    case "status":
      return status(wallet, request, sender);
  }
}

async function answerUi(background: Background, message: unknown): Promise<UiResponse> {
  const request = v.safeParse(UiRequest, message);
  if (!request.success) return { error: describe("message_invalid") };
  try {
    await background.lock.use();
    return { ok: await handleUi(background, request.output) };
  } catch (error) {
    return { error: describe(codeOf(error)) };
  }
}

function handleUi(background: Background, request: UiRequest): Promise<UiResultJson<UiRequestType>> {
  switch (request.type) {
    case "snapshot":
      return snapshot(background.wallet);
    case "createWallet":
      return createWallet(background.wallet, request);
    case "showPhrase":
      return showPhrase(background, request);
    case "unlock":
      return unlock(background.lock, request);
    case "lock":
      return lock(background.lock);
    case "protect":
      return protect(background.lock, request);
    case "eraseWallet":
      return eraseWallet(background.lock);
    case "confirmPhrase":
      return confirmPhrase(background.wallet, request);
    case "putOffPhrase":
      return putOffPhrase(background.wallet);
    case "topUp":
      return topUp(background, request);
    case "decide":
      return decide(background.wallet, request);
    case "showQuestion":
      return showQuestion(background.wallet, request);
    case "tipSite":
      return tipSite(background.wallet);
    case "startTip":
      return startTip(background.wallet);
    case "depositAll":
      return depositAll(background.wallet);
    case "closeAccount":
      return closeAccount(background.wallet);
    case "saveBackup":
      return saveBackup(background.wallet);
    case "takeOver":
      return takeOver(background.wallet);
    case "refund":
      return refund(background.wallet, request);
    case "removeAllowance":
      return removeAllowance(background.wallet, request);
    case "setAllowance":
      return setAllowance(background.wallet, request);
    case "setPaused":
      return setPaused(background.wallet, request);
    case "setTestMode":
      return setTestMode(background, request);
    case "setMonthlyLimit":
      return setMonthlyLimit(background.wallet, request);
    case "history":
      return history(background.wallet, request);
    case "spending":
      return spending(background.wallet, request);
    case "payment":
      return payment(background.wallet, request);
    case "exportHistory":
      return exportHistory(background.wallet, request);
    case "forgetSite":
      return forgetSite(background.wallet, request);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function write(response: PageResponse): string {
  return JSON.stringify(response);
}

function describe(code: ErrorCode): PageError {
  return { code, message: tellReader(code) };
}

/** Anything but a `TuppenceError` is a bug: it is reported as one, and whoever asked hears that something went wrong. */
function codeOf(error: unknown): ErrorCode {
  if (error instanceof TuppenceError) return error.code;
  reportError(error);
  return "internal";
}
