/** The merchants' dashboard: its pages, and what they ask besides what every domain answers for itself. */
export type { DashboardDeps } from "./deps.ts";
export { registerDashboard } from "./routes.ts";
