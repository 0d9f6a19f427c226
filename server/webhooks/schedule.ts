/**
 * When what failed is tried again: by the schedule that the Standard Webhooks specification recommends, three days in all. Where
 * several attempts in a row failed, whatever they were about, the endpoint is asked one thing at a time and with a pause.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** After the first attempt, the second, … */
const RETRY_MILLISECONDS = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
] as const;
/** Longer by up to a tenth, so that what failed together does not come back together. */
const JITTER = 0.1;

/** @param attempts that were made. @param chance from 0 to 1. Undefined: it is given up. */
export function retryDelayMilliseconds(attempts: number, chance: number): number | undefined {
  const delay = RETRY_MILLISECONDS[attempts - 1];
  return delay === undefined ? undefined : Math.round(delay * (1 + JITTER * chance));
}

/** More would outlast the last attempt: whoever is away for longer disables the endpoint, and replays. */
const LONGEST_WISH_MILLISECONDS = DAY;

/**
 * What an endpoint wishes that is busy, as seconds or as a date. 0: nothing that can be understood.
 *
 * @param now milliseconds since 1970
 */
export function retryAfterMilliseconds(header: string | undefined, now: number): number {
  if (header === undefined) return 0;
  const wish = /^[0-9]{1,9}$/.test(header) ? Number(header) * SECOND : Date.parse(header) - now;
  return Number.isNaN(wish) ? 0 : Math.min(Math.max(0, wish), LONGEST_WISH_MILLISECONDS);
}

const FAILURES_BEFORE_PAUSES = 3;
const LONGEST_PAUSE_MILLISECONDS = 5 * MINUTE;

/** How long an endpoint is left in peace after so many failures in a row. */
export function pauseMilliseconds(failures: number): number {
  if (failures < FAILURES_BEFORE_PAUSES) return 0;
  return Math.min(5 * SECOND * 2 ** (failures - FAILURES_BEFORE_PAUSES), LONGEST_PAUSE_MILLISECONDS);
}

/** More than one event's whole schedule: a single event that an endpoint cannot take disables nothing. */
const FAILURES_BEFORE_DISABLING = 15;
const FAILING_MILLISECONDS = 5 * DAY;

export function isGivenUp(failures: number, failingMilliseconds: number): boolean {
  return failures >= FAILURES_BEFORE_DISABLING && failingMilliseconds >= FAILING_MILLISECONDS;
}
