/** What all routes under `/api/` have in common: they stand on the accounts origin, and are described as the dashboard's. */
import { describe, type RouteDescription } from "../openapi.ts";
import type { AccessDeps } from "./deps.ts";

type Description = Omit<RouteDescription, "summary" | "tags">;

export function dashboardRoute(summary: string, more: Description = {}) {
  return {
    config: { side: "accounts" as const },
    schema: describe({ summary, tags: ["dashboard"], ...more }),
  };
}

/** Of what an address may ask in all. */
const COSTLY_PART = 100;

/** For what a stranger may ask and what costs more than an answer (rows, signatures, a look at a site): a limit of its own. */
export function costlyRoute({ config }: AccessDeps, summary: string, more: Description = {}) {
  const route = dashboardRoute(summary, more);
  const rateLimit = { max: Math.ceil(config.rateLimitPerMinute / COSTLY_PART) };
  return { ...route, config: { ...route.config, rateLimit } };
}
