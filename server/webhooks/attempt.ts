/** One attempt to tell an endpoint of an event: signed, sent once, and judged by what came back. */
import type { WebhookOutcome } from "../../shared/protocol/webhooks.ts";
import { OutboundError, type OutboundResponse, sendOutbound } from "../outbound/index.ts";
import { isEncrypted } from "./address.ts";
import type { WebhookDeps } from "./deps.ts";
import { payloadOf } from "./payload.ts";
import type { ClaimedEvent } from "./queue.ts";
import { retryAfterMilliseconds } from "./schedule.ts";
import { signatureHeaders } from "./sign.ts";

/** As the specification has it: from the look-up of the name to the end of the answer. */
const ATTEMPT_MILLISECONDS = 15_000;
const MAX_ANSWER_BYTES = 1_024;
/** Of the answer, in the log. */
const MAX_ANSWER_LENGTH = 200;
const GONE = 410;
/** What these say of the time counts (RFC 9110, 10.2.3; RFC 6585, 4). */
const BUSY = new Set([429, 503]);

export interface Attempt {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly milliseconds: number;
  readonly outcome: WebhookOutcome;
  readonly status: number | null;
  readonly answer: string;
  /** What the endpoint asked for: to be left in peace for so long. */
  readonly retryAfterMilliseconds: number;
}

/** Undefined: it was interrupted by `signal`, and nobody knows whether it arrived. */
export async function attempt(
  deps: WebhookDeps,
  event: ClaimedEvent,
  signal: AbortSignal,
): Promise<Attempt | undefined> {
  const body = await payloadOf(deps.ledger, event.endpoint.merchantId, event, deps.config.mode);
  const at = deps.now();
  const started = performance.now();
  const result = await send(deps, event, { body, now: at, signal });
  if (signal.aborted && result.outcome !== "delivered") return undefined;
  return { at, milliseconds: Math.round(performance.now() - started), ...result };
}

type Result = Pick<Attempt, "outcome" | "status" | "answer" | "retryAfterMilliseconds">;

async function send(
  deps: WebhookDeps,
  { id, endpoint }: ClaimedEvent,
  { body, now, signal }: { readonly body: string; readonly now: number; readonly signal: AbortSignal },
): Promise<Result> {
  const url = new URL(endpoint.url);
  if (!isEncrypted(deps, url)) return failure("address_private");
  try {
    return judge(
      await sendOutbound({
        url,
        method: "POST",
        headers: {
          "content-type": "application/json",
          "user-agent": "Tuppence-Webhooks/1",
          ...signatureHeaders(deps, endpoint, { eventId: id, body, now }),
        },
        body,
        timeoutMilliseconds: ATTEMPT_MILLISECONDS,
        maxAnswerBytes: MAX_ANSWER_BYTES,
        mayBePrivate: deps.config.mayCallPrivateAddresses,
        signal,
        ...(deps.resolve ? { resolve: deps.resolve } : {}),
      }),
      now,
    );
  } catch (error) {
    if (error instanceof OutboundError) return failure(error.reason);
    throw error;
  }
}

function failure(outcome: WebhookOutcome): Result {
  return { outcome, status: null, answer: "", retryAfterMilliseconds: 0 };
}

/** A redirect is a failure like every other status. */
function judge({ status, headers, body }: OutboundResponse, now: number): Result {
  const outcome = status >= 200 && status < 300 ? "delivered" : status === GONE ? "gone" : "refused";
  const retryAfter = BUSY.has(status) ? retryAfterMilliseconds(headers["retry-after"], now) : 0;
  return { outcome, status, answer: textOf(body), retryAfterMilliseconds: retryAfter };
}

/** What a database keeps as text: neither half characters nor the one of number zero. */
function textOf(body: Buffer): string {
  return body.toString("utf8").replaceAll("\0", " ").slice(0, MAX_ANSWER_LENGTH).toWellFormed();
}
