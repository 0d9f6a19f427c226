/** The wallet's store in the browser (IndexedDB through Dexie). */
import type { WalletStore } from "../../wallet/core/ports.ts";

export function openStore(name: string): WalletStore {
  throw new Error(`under construction: ${name}`);
}
