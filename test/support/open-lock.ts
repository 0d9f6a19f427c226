import type { Lock } from "../../extension/background/lock.ts";
import { TuppenceError } from "../../shared/errors.ts";

/** The lock of a wallet that no passphrase keeps, in tests whose store has none. */
export const OPEN_LOCK: Lock = {
  use: async () => undefined,
  admit: async () => undefined,
  check: async () => undefined,
  windowClosed: () => undefined,
  unlock: () => Promise.reject(new TuppenceError("passphrase_wrong")),
  lock: async () => undefined,
  verify: async () => undefined,
  protect: () => Promise.reject(new TuppenceError("passphrase_weak")),
  erase: async () => undefined,
  openUntil: async () => null,
};
