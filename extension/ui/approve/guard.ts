/**
 * The question opens over a page in which the reader may be typing, or double-clicking. For the first moments, and for
 * as long as keys keep coming that were meant for the page, nothing approves; nor while the window is behind another, and in the
 * first moments after it came to the front again. "Not now" is always heard.
 */
export const GUARD_MS = 400;

/** Behind other windows: a page may have opened one over this, and left nothing to see but the button. */
export const GUARD_SHUT = Number.POSITIVE_INFINITY;

/** When approving becomes possible (milliseconds, of any clock that only goes forward). */
export function guardFrom(now: number): number {
  return now + GUARD_MS;
}

/** A key that is meant for nothing in this window: the reader is still typing to the page. */
export function guardAfterKey(opensAt: number, key: string, isInControl: boolean, now: number): number {
  if (isInControl || NAVIGATING_KEYS.has(key)) return opensAt;
  // Enter ends a burst of typing like any other key, but once the guard is open it is an answer.
  if (key === "Enter" && now >= opensAt) return opensAt;
  return guardFrom(now);
}

/** May this key approve? A key that is held down since before may not. */
export function keyApproves(
  opensAt: number,
  key: string,
  isRepeat: boolean,
  isInControl: boolean,
  now: number,
): boolean {
  return key === "Enter" && !isRepeat && !isInControl && now >= opensAt;
}

const NAVIGATING_KEYS: ReadonlySet<string> = new Set(["Tab", "Shift", "Control", "Alt", "Meta", "Escape"]);
