/**
 * A live provider makes handovers and has no route that takes one; a test provider takes them and makes none. So no key of
 * the test provider opens anything on the live side, whatever it signs.
 */
import type { FastifyInstance } from "fastify";
import {
  HandoverMade,
  HandoverRequest,
  HandoverShown,
  HandoverTaken,
  MAX_HANDOVER_BODY_BYTES,
} from "../../shared/protocol/handover.ts";
import { beginSession, costlyRoute, ownerWhoJustSignedIn } from "../access/index.ts";
import { decode } from "../decode.ts";
import { acceptHandover } from "./accept.ts";
import type { PairedDeps, TestModeDeps } from "./deps.ts";
import { createLiveKeys } from "./live-keys.ts";
import { makeHandover } from "./make.ts";

export function registerTestMode(app: FastifyInstance, deps: TestModeDeps): void {
  const { counterpart, mode } = deps.config;
  if (!counterpart) return;
  const paired = { ...deps, config: { ...deps.config, counterpart } };
  if (mode === "live") registerMaking(app, paired);
  else registerTaking(app, paired);
}

function registerMaking(app: FastifyInstance, deps: PairedDeps): void {
  app.post(
    "/api/me/handover",
    costlyRoute(deps, "What leads whoever just signed in into test mode", {
      body: HandoverRequest,
      response: { 201: HandoverMade },
    }),
    async (request, reply) => {
      const owner = await ownerWhoJustSignedIn(deps, request);
      const { nonceHash } = decode(HandoverRequest, request.body);
      reply.code(201);
      return { handover: await makeHandover(deps, owner, nonceHash) };
    },
  );
}

function registerTaking(app: FastifyInstance, deps: PairedDeps): void {
  const keys = createLiveKeys(deps);
  app.post(
    "/api/session/handover",
    {
      ...costlyRoute(deps, "Signs in whoever comes from the live dashboard", {
        body: HandoverShown,
        response: { 200: HandoverTaken },
      }),
      bodyLimit: MAX_HANDOVER_BODY_BYTES,
    },
    async (request, reply) => {
      const { owner, leftOut } = await acceptHandover(deps, keys, decode(HandoverShown, request.body));
      await beginSession(deps, owner, reply);
      return { leftOut };
    },
  );
}
