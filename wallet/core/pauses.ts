/** A page that is refused and asks again is listened to less and less: by its tab and by its origin. */
import { TuppenceError } from "../../shared/errors.ts";
import type { StoreTables } from "./ports.ts";
import type { PauseRow } from "./rows.ts";

/** The first refusal may be a slip, so the reader can click again at once. */
const REFUSALS_WITHOUT_PAUSE = 1;
const FIRST_PAUSE_MS = 5_000;
const PAUSE_GROWTH = 4;
const LONGEST_PAUSE_MS = 3_600_000;
/** So long without a refusal, and all is forgotten. */
const FORGET_AFTER_MS = 3_600_000;

export interface Asking {
  readonly tabId: number;
  readonly origin: string;
}

/** @throws TuppenceError prompts_paused */
export async function refuseWhilePaused(tables: StoreTables, asking: Asking, nowMs: number): Promise<void> {
  const rows = await Promise.all(keysOf(asking).map((key) => tables.pauses.get(key)));
  if (rows.some((row) => row !== undefined && row.until > nowMs)) throw new TuppenceError("prompts_paused");
}

export async function noteRefusal(tables: StoreTables, asking: Asking, nowMs: number): Promise<void> {
  for (const key of keysOf(asking)) {
    const row = await tables.pauses.get(key);
    const refusals = row && nowMs - row.lastAt < FORGET_AFTER_MS ? row.refusals + 1 : 1;
    const next: PauseRow = { key, refusals, lastAt: nowMs, until: nowMs + pauseMs(refusals) };
    await tables.pauses.put(next);
  }
}

export async function forgetRefusals(tables: StoreTables, asking: Asking): Promise<void> {
  await tables.pauses.removeAll(keysOf(asking));
}

function pauseMs(refusals: number): number {
  const growing = refusals - REFUSALS_WITHOUT_PAUSE - 1;
  return growing < 0 ? 0 : Math.min(FIRST_PAUSE_MS * PAUSE_GROWTH ** growing, LONGEST_PAUSE_MS);
}

function keysOf({ tabId, origin }: Asking): string[] {
  return [`tab:${tabId}`, `origin:${origin}`];
}
