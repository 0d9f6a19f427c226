/**
 * How much one address may ask, and what happens when there is more work than time. Addresses are kept in memory for a
 * minute at most, in a list of limited length; nothing writes them down.
 *
 * **What pays is not counted.** A site's back end settles for all its readers from one address, so a limit by address
 * would lock out whoever sells much. Each payment that goes through gives its address two further requests (a verify and
 * a settle) that count for nothing: whoever sends real money is limited by it, and whoever sends nonsense by the limit.
 */
import rateLimit from "@fastify/rate-limit";
import underPressure from "@fastify/under-pressure";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Config } from "./config.ts";

const WINDOW_MILLISECONDS = 60_000;
const REQUESTS_OF_A_PAYMENT = 2;
/** Of one address, so that a popular site keeps enough for its next moments and nobody hoards. */
const MAX_CREDITS = 1_000;
/** More addresses than this that pay within a minute, and the newest are counted like everyone. */
const MAX_PAYING_ADDRESSES = 10_000;
const PAYMENT_ROUTES = ["/x402/verify", "/x402/settle"];

/** How long a client waits at least after it was refused because of load. */
export const OVERLOADED_RETRY_SECONDS = 2;

export async function limitRequests(
  app: FastifyInstance,
  { rateLimitPerMinute, maxLoopDelayMilliseconds }: Config,
  now: () => number,
): Promise<void> {
  if (maxLoopDelayMilliseconds > 0)
    await app.register(underPressure, {
      maxEventLoopDelay: maxLoopDelayMilliseconds,
      retryAfter: OVERLOADED_RETRY_SECONDS,
    });

  const credits = createCredits(now);
  const keys = new WeakMap<FastifyRequest, string>();
  await app.register(rateLimit, {
    max: rateLimitPerMinute,
    timeWindow: WINDOW_MILLISECONDS,
    allowList: (request, key) => {
      if (!PAYMENT_ROUTES.includes(request.routeOptions.url ?? "")) return false;
      keys.set(request, key);
      return credits.take(key);
    },
  });
  app.addHook("onResponse", async (request) => {
    const key = keys.get(request);
    if (key !== undefined && request.paymentOutcome === "paid") credits.earn(key);
  });
}

function createCredits(now: () => number) {
  let since = now();
  let credits = new Map<string, number>();
  const forget = (): void => {
    if (Math.abs(now() - since) < WINDOW_MILLISECONDS) return;
    since = now();
    credits = new Map();
  };
  return {
    earn(address: string): void {
      forget();
      const held = credits.get(address);
      if (held === undefined && credits.size >= MAX_PAYING_ADDRESSES) return;
      credits.set(address, Math.min((held ?? 0) + REQUESTS_OF_A_PAYMENT, MAX_CREDITS));
    },
    take(address: string): boolean {
      forget();
      const held = credits.get(address) ?? 0;
      if (held > 0) credits.set(address, held - 1);
      return held > 0;
    },
  };
}
