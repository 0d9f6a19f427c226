/** Revenue: what merchants took, by day and by article, and what they are still to be paid. */
export { auditRevenue } from "./audit.ts";
export { createCounting } from "./catch-up.ts";
export { registerRevenue } from "./routes.ts";
