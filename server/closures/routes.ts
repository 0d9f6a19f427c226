import type { FastifyInstance } from "fastify";
import type * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { ClosureRequest, ClosureResponse } from "../../shared/protocol/provider.ts";
import { type AccountDeps, accountExists, authenticate } from "../accounts/index.ts";
import { decode } from "../decode.ts";
import { describe } from "../openapi.ts";
import { emptyBackup } from "../wallet-backups/index.ts";
import { closeAccount } from "./close.ts";

export function registerClosures(app: FastifyInstance, deps: AccountDeps): void {
  const schema = describe({
    summary: "Pays the account out, all of it, and empties its backup",
    tags: ["accounts"],
    body: ClosureRequest,
    response: { 200: ClosureResponse },
  });
  app.post(
    "/accounts/me/closure",
    { config: { side: "accounts" }, schema },
    async (request): Promise<v.InferInput<typeof ClosureResponse>> => {
      const accountId = await authenticate(deps, request);
      if (!(await accountExists(deps.database, accountId))) throw new TuppenceError("account_unknown");
      const asked = decode(ClosureRequest, request.body);
      const returned = await closeAccount(deps, accountId, asked);
      // Money first; whoever asks again after a death in between finds the backup emptied, too.
      await emptyBackup(deps.database, accountId);
      return { id: asked.id, returned: returned.toString() };
    },
  );
}
