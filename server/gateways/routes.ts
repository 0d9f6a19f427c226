import formbody from "@fastify/formbody";
import type { FastifyInstance } from "fastify";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { TopUpState } from "../../shared/protocol/provider.ts";
import { describe } from "../openapi.ts";
import type { GatewayDeps } from "./deps.ts";
import { applyGatewayEvent, GatewayEvent, SIGNATURE_HEADER, verifyGatewayEvent } from "./events.ts";
import { registerSandbox } from "./sandbox.ts";

export function registerGateways(app: FastifyInstance, deps: GatewayDeps): void {
  // Forms are read on the checkout's pages and nowhere else.
  app.register(async (pages) => {
    await pages.register(formbody);
    registerSandbox(pages, deps);
  });

  const schema = describe({
    summary: "A gateway's signed event",
    tags: ["top-ups"],
    body: GatewayEvent,
    response: { 200: v.object({ state: TopUpState }) },
  });
  app.post("/gateways/:gateway/events", { config: { side: "accounts" }, schema }, async (request) => {
    const params = v.safeParse(v.object({ gateway: v.literal("sandbox") }), request.params);
    if (!params.success) throw new TuppenceError("not_found");
    const nowSeconds = Math.floor(deps.now() / 1_000);
    const event = verifyGatewayEvent(
      deps.secrets.gatewaySecret,
      request.rawBody ?? new Uint8Array(),
      request.headers[SIGNATURE_HEADER],
      nowSeconds,
    );
    return { state: (await applyGatewayEvent(deps, params.output.gateway, event)).state };
  });
}
