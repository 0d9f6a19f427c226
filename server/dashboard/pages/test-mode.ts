/**
 * The way into test mode, whose dashboard is another provider's: the test page keeps a random word and goes to the live one
 * (`+enter`), which has its provider sign who it is, for that word's hash (`+handover`), and goes back; the test page shows it to its own provider
 * with the word (`+arrive`). Nobody is signed in by a link that somebody else made, because the word is not in this browser.
 */
import * as v from "valibot";
import { sha256, toHex } from "../../../shared/bytes.ts";
import type { DashboardProvider } from "../../../shared/protocol/dashboard.ts";
import { hash256 } from "../../../shared/protocol/fields.ts";
import { HandoverMade, HandoverTaken } from "../../../shared/protocol/handover.ts";
import { call, Refusal } from "./api.ts";
import { withPasskey } from "./passkey.ts";

const NONCE_BYTES = 32;
/** Of this tab, until it is used. */
const KEPT = "tuppence-test-mode";
const Kept = v.object({ nonce: hash256, hash: v.string() });

export type Paired = DashboardProvider & { readonly counterpart: string };

/** A test provider whose owners come from the live one. */
export function comesFromLive(provider: DashboardProvider): provider is Paired {
  return provider.mode === "test" && provider.counterpart !== null;
}

export function leadsToTest(provider: DashboardProvider): provider is Paired {
  return provider.mode === "live" && provider.counterpart !== null;
}

export function dashboardOf(accountsOrigin: string, hash = "#/"): string {
  return `${accountsOrigin}/dashboard/${hash}`;
}

/** @param hash where to come back to */
export async function leaveForLive({ counterpart }: Paired, hash: string): Promise<void> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  sessionStorage.setItem(KEPT, JSON.stringify({ nonce: toHex(nonce), hash }));
  location.replace(dashboardOf(counterpart, `#/+handover/${toHex(await sha256(nonce))}`));
}

/** @throws Refusal access_stale, where a passkey has to be shown first */
export async function handOver({ counterpart }: Paired, nonceHash: string): Promise<void> {
  const { handover } = await call("POST", "/api/me/handover", HandoverMade, { nonceHash });
  location.replace(dashboardOf(counterpart, `#/+arrive/${handover}`));
}

/** Where to go on, and what stayed behind. @throws Refusal */
export async function arrive(handover: string): Promise<{ hash: string; leftOut: readonly string[] }> {
  // Used or not, it stays in no history.
  history.replaceState(null, "", "#/+arrive/");
  const kept = v.safeParse(Kept, readKept());
  if (!kept.success) throw new Refusal("handover_invalid");
  sessionStorage.removeItem(KEPT);
  const { nonce, hash } = kept.output;
  const { leftOut } = await call("POST", "/api/session/handover", HandoverTaken, { handover, nonce });
  return { hash, leftOut };
}

/** As `withPasskey`; in test mode, where there are no passkeys, by way of the live dashboard and back to this screen. */
export async function justSignedIn<T>(
  provider: DashboardProvider,
  act: () => Promise<T>,
): Promise<T | undefined> {
  if (!comesFromLive(provider)) return withPasskey(act);
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "access_stale") throw error;
    await leaveForLive(provider, location.hash);
    return undefined;
  }
}

function readKept(): unknown {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  } catch {
    return undefined;
  }
}
