import type { FastifyInstance } from "fastify";
import type * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { AccountResponse } from "../../shared/protocol/provider.ts";
import { describe } from "../openapi.ts";
import type { AccountDeps } from "./deps.ts";
import { accountExists, createAccount } from "./store.ts";
import { authenticate } from "./token.ts";
import { viewAccount } from "./view.ts";

export function registerAccounts(app: FastifyInstance, deps: AccountDeps): void {
  const route = (summary: string) => ({
    config: { side: "accounts" as const },
    schema: describe({ summary, tags: ["accounts"], response: { 200: AccountResponse } }),
  });

  app.post("/accounts", route("Makes the account, or finds it"), async (request) => {
    const id = await authenticate(deps, request);
    await createAccount(deps.database, id, deps.now());
    return accountResponse(deps, id);
  });

  app.get("/accounts/me", route("The account that asks"), async (request) => {
    const id = await authenticate(deps, request);
    if (!(await accountExists(deps.database, id))) throw new TuppenceError("account_unknown");
    return accountResponse(deps, id);
  });
}

async function accountResponse(deps: AccountDeps, id: string): Promise<v.InferInput<typeof AccountResponse>> {
  const { balance, frozen, withdrawable } = await viewAccount(deps, id);
  return {
    id,
    currency: deps.config.currency,
    balance: balance.toString(),
    frozen,
    withdrawable: withdrawable.toString(),
  };
}
