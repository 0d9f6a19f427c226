/** The wallet core. `createWallet(ports)` gives the `Wallet` of `wallet.ts`. */
import type { WalletPorts } from "./ports.ts";
import type { Wallet } from "./wallet.ts";

export { createMemoryStore } from "./memory-store.ts";
export type * from "./ports.ts";
export type { PageSender, Wallet } from "./wallet.ts";

export function createWallet(ports: WalletPorts): Wallet {
  throw new Error(`under construction for ${ports.defaultProviderOrigin}`);
}
