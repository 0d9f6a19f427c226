/** A merchant's sites: proven by whoever controls them, at once and again from time to time. */

export { bringSites } from "./bring.ts";
export { createSiteChecks } from "./check.ts";
export type { SiteDeps } from "./deps.ts";
export { registerSites } from "./routes.ts";
