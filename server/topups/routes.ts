import type { FastifyInstance } from "fastify";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { TopUpRequest, TopUpResponse } from "../../shared/protocol/provider.ts";
import { type AccountDeps, accountExists, authenticate } from "../accounts/index.ts";
import { decode } from "../decode.ts";
import { describe } from "../openapi.ts";
import { createTopUp } from "./create.ts";
import { TopUpId } from "./records.ts";
import { findTopUp, type TopUp } from "./store.ts";

export function registerTopUps(app: FastifyInstance, deps: AccountDeps): void {
  const createSchema = describe({
    summary: "Starts a top-up",
    tags: ["top-ups"],
    body: TopUpRequest,
    response: { 200: TopUpResponse, 201: TopUpResponse },
  });
  app.post("/topups", { config: { side: "accounts" }, schema: createSchema }, async (request, reply) => {
    const accountId = await authenticate(deps, request);
    if (!(await accountExists(deps.database, accountId))) throw new TuppenceError("account_unknown");
    const { topUp, isNew } = await createTopUp(deps, accountId, decode(TopUpRequest, request.body));
    reply.code(isNew ? 201 : 200);
    return topUpResponse(deps, topUp);
  });

  const readSchema = describe({
    summary: "How a top-up stands",
    tags: ["top-ups"],
    response: { 200: TopUpResponse },
  });
  app.get("/topups/:id", { config: { side: "accounts" }, schema: readSchema }, async (request) => {
    const accountId = await authenticate(deps, request);
    const params = v.safeParse(v.object({ id: TopUpId }), request.params);
    const topUp = params.success ? await findTopUp(deps, params.output.id) : undefined;
    if (topUp?.accountId !== accountId) throw new TuppenceError("topup_unknown");
    return topUpResponse(deps, topUp);
  });
}

function topUpResponse(
  { config }: AccountDeps,
  { id, amount, gateway, state }: TopUp,
): v.InferInput<typeof TopUpResponse> {
  return {
    id,
    amount: amount.toString(),
    gateway,
    state,
    checkoutUrl: `${config.accountsOrigin}/checkout/${gateway}/${id}`,
  };
}
