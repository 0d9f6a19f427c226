/** The live provider's published keys, by which a handover is verified: fetched when one is shown, and kept a while. */
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { verifyJws } from "../../shared/jws.ts";
import { HandoverClaims } from "../../shared/protocol/handover.ts";
import { Jwks } from "../../shared/protocol/provider.ts";
import { OutboundError, sendOutbound } from "../outbound/index.ts";
import type { PairedDeps } from "./deps.ts";

const KEPT_MILLISECONDS = 600_000;
/** A key that is not among them may be new. No more often: strangers show what they like. */
const AGAIN_AFTER_MILLISECONDS = 10_000;
const TIMEOUT_MILLISECONDS = 5_000;
const MAX_ANSWER_BYTES = 65_536;

export interface LiveKeys {
  /** Undefined where the live provider did not sign it. @throws TuppenceError counterpart_unreachable */
  verify(handover: string): Promise<HandoverClaims | undefined>;
}

interface Kept {
  readonly keys: Jwks["keys"];
  readonly fetchedAt: number;
}

export function createLiveKeys(deps: PairedDeps): LiveKeys {
  let kept: Kept | undefined;
  let fetching: Promise<Kept> | undefined;

  /** One request, however many wait for it. */
  async function keysNewerThan(milliseconds: number): Promise<Kept> {
    if (kept && Math.abs(deps.now() - kept.fetchedAt) < milliseconds) return kept;
    fetching ??= fetchKeys(deps).finally(() => {
      fetching = undefined;
    });
    kept = await fetching;
    return kept;
  }

  return {
    async verify(handover) {
      const first = await keysNewerThan(KEPT_MILLISECONDS);
      const claims = await verifyBy(first, handover);
      if (claims) return claims;
      const second = await keysNewerThan(AGAIN_AFTER_MILLISECONDS);
      return second === first ? undefined : verifyBy(second, handover);
    },
  };
}

function verifyBy({ keys }: Kept, handover: string): Promise<HandoverClaims | undefined> {
  return verifyJws("tuppence-handover+jwt", handover, keys, HandoverClaims);
}

async function fetchKeys({ config, now }: PairedDeps): Promise<Kept> {
  const fetchedAt = now();
  try {
    const { status, body } = await sendOutbound({
      url: new URL("/.well-known/jwks.json", config.counterpart.origin),
      method: "GET",
      headers: { accept: "application/json" },
      timeoutMilliseconds: TIMEOUT_MILLISECONDS,
      maxAnswerBytes: MAX_ANSWER_BYTES,
      // The operator named it, and no stranger did.
      mayBePrivate: true,
    });
    const decoded = v.safeParse(Jwks, status === 200 ? jsonOf(body) : undefined);
    if (decoded.success) return { keys: decoded.output.keys, fetchedAt };
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
  }
  throw new TuppenceError("counterpart_unreachable");
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
