/**
 * The provider's two origins in one process, told apart by the `Host` header. Each route says on which side it
 * stands (`config: { side }`); on the other it is `wrong_origin`. No token ever counts on the anonymous side.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { TuppenceError } from "../shared/errors.ts";
import type { Config } from "./config.ts";

export type Side = "anonymous" | "accounts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Where the route stands. Every route has to say. `any`: also on hosts that are neither origin. */
    side?: Side | "both" | "any";
  }
}

/** The request names a host that is neither origin: RFC 9110's 421, which has no code of ours. */
export class MisdirectedRequest extends Error {
  override readonly name = "MisdirectedRequest";
}

export function sideOf(request: FastifyRequest, config: Config): Side | undefined {
  const host = request.headers.host?.toLowerCase();
  if (host === hostOf(config.origin)) return "anonymous";
  if (host === hostOf(config.accountsOrigin)) return "accounts";
  return undefined;
}

export function separateOrigins(app: FastifyInstance, config: Config): void {
  app.addHook("onRoute", (route) => {
    if (route.url.startsWith("/docs")) route.config = { ...route.config, side: "both" };
    if (route.method === "OPTIONS") route.config = { ...route.config, side: "both" };
    if (route.config?.side === undefined)
      throw new Error(`the route ${route.url} does not say on which origin it stands: config: { side }`);
  });
  app.addHook("onRequest", async (request) => {
    const home = request.routeOptions.config.side;
    if (home === "any") return;
    const side = sideOf(request, config);
    if (side === undefined) throw new MisdirectedRequest();
    if (side === "anonymous" && request.headers.authorization !== undefined)
      throw new TuppenceError("account_token_not_allowed");
    if (home !== undefined && home !== "both" && home !== side) throw new TuppenceError("wrong_origin");
  });
}

const hosts = new Map<string, string>();

function hostOf(origin: string): string {
  let host = hosts.get(origin);
  if (host === undefined) {
    host = new URL(origin).host;
    hosts.set(origin, host);
  }
  return host;
}
