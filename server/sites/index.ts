/** A merchant's sites: proven by whoever controls them, at once and again from time to time. */

export { checkDueSites } from "./check.ts";
export { registerSites } from "./routes.ts";
