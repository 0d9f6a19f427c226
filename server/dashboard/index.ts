/** The merchants' dashboard: its pages, and what they ask besides what every domain answers for itself. */
export { registerDashboard } from "./routes.ts";
