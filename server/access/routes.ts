/** Signing up and in, whoever is signed in, and the keys of their merchants' programs. All of it on the accounts origin. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import {
  ApiKeyList,
  ApiKeyMade,
  ApiKeyRequest,
  Me,
  MerchantRequest,
  PasskeyOptionsRequest,
  PasskeyRequest,
  RecoveryCodes,
  RecoveryRequest,
  SignInRequest,
} from "../../shared/protocol/dashboard.ts";
import { decode } from "../decode.ts";
import { createApiKey, listApiKeys, revokeApiKey } from "./api-keys.ts";
import { costlyRoute, dashboardRoute } from "./dashboard-route.ts";
import { type AccessDeps, comesFromLive } from "./deps.ts";
import { createMerchant, createOwner, makeOwnerId } from "./owners.ts";
import {
  askForPasskey,
  keepPasskey,
  listPasskeys,
  offerPasskey,
  removePasskey,
  verifyNewPasskey,
  verifyPasskey,
} from "./passkeys.ts";
import { countRecoveryCodes, makeRecoveryCodes, useRecoveryCode } from "./recovery-codes.ts";
import { requireOwner } from "./require.ts";
import {
  beginSession,
  endOtherSessions,
  endSession,
  ownerOfSession,
  ownerWhoJustSignedIn,
} from "./sessions.ts";

export function registerAccess(app: FastifyInstance, deps: AccessDeps): void {
  registerSession(app, deps);
  registerApiKeys(app, deps);
  if (comesFromLive(deps)) return;
  registerSignIn(app, deps);
  registerOwner(app, deps);
}

function registerSession(app: FastifyInstance, deps: AccessDeps): void {
  app.delete("/api/session", dashboardRoute("Signs out"), async (request, reply) => {
    await endSession(deps, request, reply);
    return {};
  });
  app.get("/api/me", dashboardRoute("Whoever is signed in", { response: { 200: Me } }), async (request) => {
    const ownerId = await ownerOfSession(deps, request);
    const merchants = await deps.merchants.listOwned(ownerId);
    return {
      passkeys: await listPasskeys(deps, ownerId),
      recoveryCodesLeft: await countRecoveryCodes(deps, ownerId),
      merchants: merchants.map(({ id, name }) => ({ id, name })),
    };
  });
}

function registerSignIn(app: FastifyInstance, deps: AccessDeps): void {
  app.post("/api/sign-up/options", costlyRoute(deps, "What to make the first passkey with"), ({ body }) =>
    offerPasskey(deps, makeOwnerId(deps), decode(PasskeyOptionsRequest, body).name, "sign-up"),
  );
  app.post(
    "/api/sign-up",
    costlyRoute(deps, "Signs up with a new passkey", {
      body: PasskeyRequest,
      response: { 201: RecoveryCodes },
    }),
    async ({ body }, reply) => {
      const request = decode(PasskeyRequest, body);
      const { ownerId, credential } = await verifyNewPasskey(deps, request.response, "sign-up");
      await createOwner(deps, ownerId);
      await keepPasskey(deps, ownerId, credential, request);
      const codes = await makeRecoveryCodes(deps, ownerId);
      await beginSession(deps, ownerId, reply);
      reply.code(201);
      return { codes };
    },
  );
  app.post("/api/session/options", costlyRoute(deps, "What a passkey has to sign"), () =>
    askForPasskey(deps),
  );
  app.post(
    "/api/session",
    costlyRoute(deps, "Signs in by passkey", { body: SignInRequest }),
    async ({ body }, reply) => {
      await beginSession(deps, await verifyPasskey(deps, decode(SignInRequest, body).response), reply);
      return {};
    },
  );
  app.post(
    "/api/session/recover",
    costlyRoute(deps, "Signs in by a recovery code, and out everywhere else", { body: RecoveryRequest }),
    async (request, reply) => {
      const ownerId = await useRecoveryCode(deps, decode(RecoveryRequest, request.body).code);
      await endOtherSessions(deps, ownerId, request);
      await beginSession(deps, ownerId, reply);
      return {};
    },
  );
}

function registerOwner(app: FastifyInstance, deps: AccessDeps): void {
  app.post(
    "/api/me/passkeys/options",
    costlyRoute(deps, "What to make a further passkey with"),
    async (request) => {
      const ownerId = await ownerWhoJustSignedIn(deps, request);
      return offerPasskey(deps, ownerId, decode(PasskeyOptionsRequest, request.body).name, "add-passkey");
    },
  );
  app.post(
    "/api/me/passkeys",
    dashboardRoute("Adds a passkey", { body: PasskeyRequest }),
    async (request, reply) => {
      const ownerId = await ownerWhoJustSignedIn(deps, request);
      const decoded = decode(PasskeyRequest, request.body);
      const made = await verifyNewPasskey(deps, decoded.response, "add-passkey");
      if (made.ownerId !== ownerId) throw new TuppenceError("passkey_invalid");
      await keepPasskey(deps, ownerId, made.credential, decoded);
      reply.code(201);
      return {};
    },
  );
  app.delete(
    "/api/me/passkeys/:id",
    dashboardRoute("Removes a passkey, and signs out everywhere else"),
    async (request) => {
      const ownerId = await ownerWhoJustSignedIn(deps, request);
      await removePasskey(deps, ownerId, idOf(request));
      await endOtherSessions(deps, ownerId, request);
      return {};
    },
  );
  app.post(
    "/api/me/recovery-codes",
    dashboardRoute("Makes new recovery codes in place of the old ones", { response: { 201: RecoveryCodes } }),
    async (request, reply) => {
      const codes = await makeRecoveryCodes(deps, await ownerWhoJustSignedIn(deps, request));
      reply.code(201);
      return { codes };
    },
  );
  app.post(
    "/api/me/merchants",
    dashboardRoute("Makes a merchant", { body: MerchantRequest }),
    async (request, reply) => {
      const ownerId = await ownerOfSession(deps, request);
      const { id, name } = await createMerchant(deps, ownerId, decode(MerchantRequest, request.body));
      reply.code(201);
      return { id, name };
    },
  );
}

function registerApiKeys(app: FastifyInstance, deps: AccessDeps): void {
  const path = "/api/merchants/:merchant/keys";
  app.get(path, dashboardRoute("API keys", { response: { 200: ApiKeyList } }), async (request) => {
    const { merchant } = await requireOwner(deps, request);
    return { keys: await listApiKeys(deps, merchant.id) };
  });
  app.post(
    path,
    dashboardRoute("Makes an API key", { body: ApiKeyRequest, response: { 201: ApiKeyMade } }),
    async (request, reply) => {
      await ownerWhoJustSignedIn(deps, request);
      const { merchant } = await requireOwner(deps, request);
      const made = await createApiKey(deps, merchant.id, decode(ApiKeyRequest, request.body));
      reply.code(201);
      return made;
    },
  );
  app.delete(`${path}/:id`, dashboardRoute("Revokes an API key"), async (request) => {
    const { merchant } = await requireOwner(deps, request);
    await revokeApiKey(deps, merchant.id, idOf(request));
    return {};
  });
}

function idOf({ params }: FastifyRequest): string {
  return decode(v.object({ id: v.pipe(v.string(), v.maxLength(MAX_ID_LENGTH)) }), params).id;
}

const MAX_ID_LENGTH = 1_400;
