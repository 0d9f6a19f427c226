import type { FastifyInstance } from "fastify";
import type * as v from "valibot";
import { fromBase64url, toBase64url } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { id128 } from "../../shared/protocol/fields.ts";
import {
  BACKUP_STEPS_BYTES,
  BackupListing,
  BackupPart,
  BackupWrite,
  BackupWritten,
} from "../../shared/protocol/provider.ts";
import { type AccountDeps, accountExists, authenticate } from "../accounts/index.ts";
import { decode } from "../decode.ts";
import { describe } from "../openapi.ts";
import { listParts, readPart } from "./store.ts";
import { createTurns } from "./turns.ts";
import { writePart } from "./write.ts";

export function registerWalletBackups(app: FastifyInstance, deps: AccountDeps): void {
  const { database } = deps;
  const config = { side: "accounts" as const };
  const inTurn = createTurns();

  app.get(
    "/accounts/me/backup",
    {
      config,
      schema: describe({
        summary: "The parts of the account's backup",
        tags: ["accounts"],
        response: { 200: BackupListing },
      }),
    },
    async (request): Promise<v.InferInput<typeof BackupListing>> => ({
      parts: await listParts(database, await authenticate(deps, request)),
    }),
  );

  app.get<{ Params: { name: string } }>(
    "/accounts/me/backup/:name",
    {
      config,
      schema: describe({
        summary: "One part of the account's backup",
        tags: ["accounts"],
        response: { 200: BackupPart },
      }),
    },
    async (request): Promise<v.InferInput<typeof BackupPart>> => {
      const accountId = await authenticate(deps, request);
      const name = decode(id128, request.params.name);
      const part = await readPart(database, accountId, name);
      if (!part) throw new TuppenceError("backup_unknown");
      return { name, version: part.version, content: toBase64url(part.content) };
    },
  );

  app.post<{ Params: { name: string } }>(
    "/accounts/me/backup/:name",
    {
      config,
      schema: describe({
        summary:
          "Writes one part, where it is still at the version that is said; 0: where it is not there yet",
        tags: ["accounts"],
        body: BackupWrite,
        response: { 200: BackupWritten },
      }),
    },
    async (request): Promise<v.InferInput<typeof BackupWritten>> => {
      const accountId = await authenticate(deps, request);
      const name = decode(id128, request.params.name);
      const { version, content } = decode(BackupWrite, request.body);
      const bytes = fromBase64url(content);
      // Other sizes would say how much there is.
      if (!BACKUP_STEPS_BYTES.includes(bytes.length))
        throw new TuppenceError("request_invalid", { at: "content" });
      if (!(await accountExists(database, accountId))) throw new TuppenceError("account_unknown");
      await writePart(deps, inTurn, accountId, { name, version, content: bytes });
      return { name, version: version + 1 };
    },
  );
}
