/** A limit of its own for what a stranger may ask and what costs more than an answer: rows, signatures, a look at a site. */
import type { AccessDeps } from "./deps.ts";

/** Of what an address may ask in all. */
const PART = 100;

/** For a route's `config`. */
export function costly({ config }: AccessDeps) {
  return { rateLimit: { max: Math.ceil(config.rateLimitPerMinute / PART) } };
}
