/** The page's side of the conversation with the wallet (`shared/protocol/page.ts`): find it, ask it, decode its answer. */
import {
  ANNOUNCE_WALLET_EVENT,
  type PageRequestOf,
  type PageRequestType,
  type PageResults,
  PROTOCOL_VERSION,
  REQUEST_EVENT,
  REQUEST_WALLET_EVENT,
  RESPONSE_EVENT,
} from "../../shared/protocol/page.ts";
import { decodeError, type Fields, fieldsOf } from "./decode.ts";
import { Problem, problem } from "./problem.ts";

/** How long a click waits for a wallet before the page says that there is none. */
const DISCOVERY_MS = 300;
/** The wallet gives up on an unanswered question sooner; this is for a wallet that was removed meanwhile. */
const ANSWER_MS = 600_000;
/** Checked before anything is parsed. A payment's header may be 65,536 characters long. */
const MAX_ANSWER_LENGTH = 131_072;

/** Asks every wallet to announce itself. Only one that the reader called, or that knows this site, will. */
export function callWallet(): void {
  document.dispatchEvent(new Event(REQUEST_WALLET_EVENT));
}

/** Resolves at once where the wallet answers at once; false after `DISCOVERY_MS` of silence. */
export function findWallet(): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (found: boolean) => {
      clearTimeout(timer);
      document.removeEventListener(ANNOUNCE_WALLET_EVENT, onAnnounce);
      resolve(found);
    };
    const onAnnounce = () => finish(true);
    const timer = setTimeout(finish, DISCOVERY_MS, false);
    document.addEventListener(ANNOUNCE_WALLET_EVENT, onAnnounce);
    callWallet();
  });
}

export type Ask = typeof ask;

/** @throws Problem with the wallet's code and words; `approval_expired` where no answer comes at all */
export function ask<T extends PageRequestType>(
  type: T,
  payload: PageRequestOf<T>["payload"],
  decode: (ok: Fields) => PageResults[T] | undefined,
): Promise<PageResults[T]> {
  const id = crypto.randomUUID();
  return new Promise((resolve, reject) => {
    const finish = () => {
      clearTimeout(timer);
      document.removeEventListener(RESPONSE_EVENT, onResponse);
    };
    const onResponse = (event: Event) => {
      const answer = read(event);
      if (answer.v !== PROTOCOL_VERSION || answer.id !== id) return;
      finish();
      const error = decodeError(fieldsOf(answer.error));
      const result = error ? undefined : decode(fieldsOf(answer.ok));
      if (result) resolve(result);
      else reject(error ? new Problem(error.code, error.message) : problem("message_invalid"));
    };
    const timer = setTimeout(() => {
      finish();
      reject(problem("approval_expired"));
    }, ANSWER_MS);
    document.addEventListener(RESPONSE_EVENT, onResponse);
    document.dispatchEvent(
      new CustomEvent(REQUEST_EVENT, { detail: JSON.stringify({ v: PROTOCOL_VERSION, id, type, payload }) }),
    );
  });
}

function read(event: Event): Fields {
  const detail: unknown = event instanceof CustomEvent ? event.detail : undefined;
  if (typeof detail !== "string" || detail.length > MAX_ANSWER_LENGTH) return {};
  try {
    return fieldsOf(JSON.parse(detail));
  } catch {
    return {};
  }
}
