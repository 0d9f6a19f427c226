/** Who may act for a merchant: people who signed in by passkey, and programs with an API key. */
export { costlyRoute, dashboardRoute } from "./dashboard-route.ts";
export type { AccessDeps } from "./deps.ts";
export { createOwner } from "./owners.ts";
export { requireAccess, requireOwner } from "./require.ts";
export { registerAccess } from "./routes.ts";
export { beginSession, ownerWhoJustSignedIn } from "./sessions.ts";
