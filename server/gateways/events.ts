/**
 * What a gateway tells: a JSON body, signed with the secret that both share.
 * `tuppence-signature: t=<seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`; the time keeps a captured event from being
 * sent again much later, and events are idempotent in any case.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { id128, positiveAmount } from "../../shared/protocol/fields.ts";
import { chargeBackTopUp, confirmTopUp, endTopUp, findTopUp, type TopUp } from "../topups/index.ts";
import type { GatewayDeps } from "./deps.ts";

export const SIGNATURE_HEADER = "tuppence-signature";
/** How old an event may be when it arrives, and how far its clock may be ahead. */
const MAX_AGE_SECONDS = 300;

export const GatewayEvent = v.object({
  type: v.picklist(["approved", "declined", "abandoned", "charged_back"]),
  topUpId: id128,
  /** What was really paid: it must be what was asked for. */
  amount: positiveAmount,
});
export type GatewayEvent = v.InferOutput<typeof GatewayEvent>;

/** Body and headers of an event, as the gateway sends it. */
export function signGatewayEvent(
  secret: Uint8Array,
  event: GatewayEvent,
  nowSeconds: number,
): { body: string; headers: Record<string, string> } {
  const body = JSON.stringify({ ...event, amount: event.amount.toString() });
  const headers = {
    "content-type": "application/json",
    [SIGNATURE_HEADER]: `t=${nowSeconds},v1=${macOf(secret, nowSeconds, body).toString("hex")}`,
  };
  return { body, headers };
}

/** @throws TuppenceError gateway_event_invalid */
export function verifyGatewayEvent(
  secret: Uint8Array,
  body: Uint8Array,
  signature: unknown,
  nowSeconds: number,
): GatewayEvent {
  const [, time, mac] =
    typeof signature === "string" ? (/^t=([0-9]{1,12}),v1=([0-9a-f]{64})$/.exec(signature) ?? []) : [];
  if (time === undefined || mac === undefined) throw new TuppenceError("gateway_event_invalid");
  const text = new TextDecoder().decode(body);
  const fresh = Math.abs(nowSeconds - Number(time)) <= MAX_AGE_SECONDS;
  if (!fresh || !timingSafeEqual(Buffer.from(mac, "hex"), macOf(secret, Number(time), text)))
    throw new TuppenceError("gateway_event_invalid");
  const event = v.safeParse(GatewayEvent, parseJson(text));
  if (!event.success) throw new TuppenceError("request_invalid");
  return event.output;
}

/** Signed, and yet no JSON: a gateway that sends no body signs that too. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The one place where a gateway's word becomes money. Safe to apply again.
 * @throws TuppenceError topup_unknown, topup_closed, topup_limit, request_conflict
 */
export async function applyGatewayEvent(
  deps: GatewayDeps,
  gateway: string,
  event: GatewayEvent,
): Promise<TopUp> {
  const topUp = await findTopUp(deps, event.topUpId);
  if (topUp?.gateway !== gateway) throw new TuppenceError("topup_unknown");
  if (topUp.amount !== event.amount) throw new TuppenceError("request_conflict");
  switch (event.type) {
    case "approved":
      // A chargeback stands, however late an old approval comes; so does the reader's own no.
      if (topUp.state === "charged_back" || topUp.state === "paid") return topUp;
      if (topUp.state !== "open") throw new TuppenceError("topup_closed");
      await confirmTopUp(deps, topUp);
      break;
    case "charged_back":
      await chargeBackTopUp(deps, topUp);
      break;
    case "declined":
    case "abandoned":
      if (topUp.state === event.type) return topUp;
      if (topUp.state !== "open") throw new TuppenceError("topup_closed");
      await endTopUp(deps.database, topUp.id, event.type);
  }
  const after = await findTopUp(deps, event.topUpId);
  if (!after) throw new Error("a top-up never goes away");
  return after;
}

function macOf(secret: Uint8Array, seconds: number, body: string): Buffer {
  return createHmac("sha256", secret).update(`${seconds}.${body}`).digest();
}
