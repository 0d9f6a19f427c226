/** Who may act for a merchant: people who signed in by passkey, and programs with an API key. */
export type { AccessDeps } from "./deps.ts";
export { type Actor, type MerchantAccess, requireAccess, requireOwner } from "./require.ts";
export { registerAccess } from "./routes.ts";
