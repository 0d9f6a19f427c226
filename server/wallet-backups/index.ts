/** What wallets keep of themselves at the provider, sealed. It is not money, and the ledger knows nothing of it. */
export { registerWalletBackups } from "./routes.ts";
export { emptyBackup } from "./store.ts";
