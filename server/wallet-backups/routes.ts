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
import { listParts, readPart, usedBytes, writePart } from "./store.ts";

/** Parts of one account, whatever their size. */
const MAX_PARTS = 2_000;

export function registerWalletBackups(app: FastifyInstance, deps: AccountDeps): void {
  const { database } = deps;
  const config = { side: "accounts" as const };

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
      const used = await usedBytes(database, accountId, name);
      // Two writings at once may exceed it by one part.
      if (used.bytes + bytes.length > deps.config.walletBackupBytes || used.parts >= MAX_PARTS)
        throw new TuppenceError("backup_full", { mostBytes: deps.config.walletBackupBytes });
      if (!(await writePart(database, accountId, { name, version, content: bytes })))
        throw new TuppenceError("backup_conflict");
      return { name, version: version + 1 };
    },
  );
}
