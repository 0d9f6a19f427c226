/** Random pauses of a restore at the anonymous origin, which would otherwise see it begin where the account was just read. */
import { drawNumber } from "../chance.ts";
import type { Context } from "../context.ts";

const LEAST_BEFORE_MS = 2_000;
const MOST_BEFORE_MS = 15_000;
const LEAST_BETWEEN_MS = 100;
const MOST_BETWEEN_MS = 1_500;

export function pauseBefore(context: Context): Promise<void> {
  return pause(context, LEAST_BEFORE_MS, MOST_BEFORE_MS);
}

export function pauseBetween(context: Context): Promise<void> {
  return pause(context, LEAST_BETWEEN_MS, MOST_BETWEEN_MS);
}

function pause(context: Context, least: number, most: number): Promise<void> {
  const milliseconds = drawNumber(context, least, most);
  return context.ports.scheduler.delay(Math.max(milliseconds, context.quietMs()));
}
