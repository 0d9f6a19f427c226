/**
 * The globals that a run sees: cryptography that draws from the seed and time limits in virtual time. Installed once, before
 * anything of the product is imported, because some libraries keep what they find when they are loaded.
 */

import { type Random, seededRandom } from "./random.ts";
import { createWebCrypto } from "./webcrypto.ts";
import type { World } from "./world.ts";

let world: World | undefined;
let random: Random = seededRandom(0, "crypto");
const platform = { crypto: globalThis.crypto, timeout: AbortSignal.timeout };
const simulated = createWebCrypto(() => random);

/** Until the function that it answers is called. */
export function useWorld(next: World): () => void {
  world = next;
  random = seededRandom(next.seed, "crypto");
  return () => {
    world = undefined;
  };
}

const timeouts = new WeakMap<AbortSignal, () => void>();

/** Of a call that has ended: most do, long before, and each would be an event. */
export function callOffTimeout(signal: AbortSignal | undefined): void {
  if (signal) timeouts.get(signal)?.();
}

export function installEnvironment(): void {
  Object.defineProperty(globalThis, "crypto", { value: simulated, configurable: true });
  AbortSignal.timeout = (milliseconds) => {
    if (!world) return platform.timeout(milliseconds);
    const controller = new AbortController();
    const callOff = world.unlessCalledOff(milliseconds, "a call times out", () => controller.abort());
    timeouts.set(controller.signal, callOff);
    return controller.signal;
  };
}
