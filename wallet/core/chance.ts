/** Whole numbers that nobody can guess. */
import type { Context } from "./context.ts";

/** From `least` up to, not including, `below`; of 65,536 places at most, evenly spread. */
export function drawNumber(context: Pick<Context, "ports">, least: number, below: number): number {
  const [high = 0, low = 0] = context.ports.random.bytes(2);
  return least + Math.floor(((high * 256 + low) / 65_536) * (below - least));
}
