/** Accounts: a reader's balance, identified by a public key. */
export type { AccountDeps } from "./deps.ts";
export { registerAccounts } from "./routes.ts";
export { accountExists } from "./store.ts";
export { authenticate } from "./token.ts";
export { frozenKey } from "./view.ts";
