/** A merchant's webhooks over HTTP, for its owner and for programs with a key: `/api/merchants/:merchant/webhooks…`. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import * as v from "valibot";
import {
  Webhook,
  WebhookEventDetail,
  WebhookEventEntry,
  WebhookEventList,
  WebhookEventQuery,
  WebhookList,
  WebhookMade,
  WebhookReplayed,
  WebhookReplayRequest,
  WebhookRequest,
  WebhookUpdate,
} from "../../shared/protocol/webhooks.ts";
import { dashboardRoute, requireAccess } from "../access/index.ts";
import { decode } from "../decode.ts";
import type { WebhookDeps } from "./deps.ts";
import {
  createWebhook,
  findWebhook,
  listWebhooks,
  removeWebhook,
  rotateSecret,
  updateWebhook,
} from "./endpoints.ts";
import { findEvent, listEvents, replayEvent, replayFailed, sendTest } from "./log.ts";

const WEBHOOKS = "/api/merchants/:merchant/webhooks";
const WEBHOOK = `${WEBHOOKS}/:webhook`;
const MAX_ID_LENGTH = 100;

export function registerWebhooks(app: FastifyInstance, deps: WebhookDeps): void {
  registerEndpoints(app, deps);
  registerLog(app, deps);
}

function registerEndpoints(app: FastifyInstance, deps: WebhookDeps): void {
  app.get(WEBHOOKS, dashboardRoute("Webhooks", { response: { 200: WebhookList } }), async (request) => {
    const { merchant } = await requireAccess(deps, request, "webhooks:read");
    return { webhooks: await listWebhooks(deps, merchant.id) };
  });
  app.post(
    WEBHOOKS,
    dashboardRoute("Makes a webhook, and tells its secret once", {
      body: WebhookRequest,
      response: { 201: WebhookMade },
    }),
    async (request, reply) => {
      const { merchant } = await requireAccess(deps, request, "webhooks:write");
      const made = await createWebhook(deps, merchant.id, decode(WebhookRequest, request.body));
      reply.code(201);
      return made;
    },
  );
  app.get(WEBHOOK, dashboardRoute("A webhook", { response: { 200: Webhook } }), async (request) => {
    const { merchant } = await requireAccess(deps, request, "webhooks:read");
    return findWebhook(deps, merchant.id, webhookOf(request));
  });
  app.post(
    WEBHOOK,
    dashboardRoute("Changes a webhook; what is left out stays", {
      body: WebhookUpdate,
      response: { 200: Webhook },
    }),
    async (request) => {
      const { merchant } = await requireAccess(deps, request, "webhooks:write");
      return updateWebhook(deps, merchant.id, webhookOf(request), decode(WebhookUpdate, request.body));
    },
  );
  app.delete(WEBHOOK, dashboardRoute("Removes a webhook with its log"), async (request) => {
    const { merchant } = await requireAccess(deps, request, "webhooks:write");
    await removeWebhook(deps, merchant.id, webhookOf(request));
    return {};
  });
  app.post(
    `${WEBHOOK}/secret`,
    dashboardRoute("Makes a new secret; the old one signs for another day", {
      response: { 200: WebhookMade },
    }),
    async (request) => {
      const { merchant } = await requireAccess(deps, request, "webhooks:write");
      return rotateSecret(deps, merchant.id, webhookOf(request));
    },
  );
}

function registerLog(app: FastifyInstance, deps: WebhookDeps): void {
  app.post(
    `${WEBHOOK}/test`,
    dashboardRoute("Sends a test, once", { response: { 202: WebhookEventEntry } }),
    async (request, reply) => {
      const { merchant } = await requireAccess(deps, request, "webhooks:write");
      const event = await sendTest(deps, merchant.id, webhookOf(request));
      reply.code(202);
      return event;
    },
  );
  app.post(
    `${WEBHOOK}/replay`,
    dashboardRoute("Sends again what failed", {
      body: WebhookReplayRequest,
      response: { 202: WebhookReplayed },
    }),
    async (request, reply) => {
      const { merchant } = await requireAccess(deps, request, "webhooks:write");
      const { since } = decode(WebhookReplayRequest, request.body);
      const replayed = await replayFailed(deps, merchant.id, webhookOf(request), since);
      reply.code(202);
      return replayed;
    },
  );
  app.get(
    `${WEBHOOK}/events`,
    dashboardRoute("What a webhook was told", { response: { 200: WebhookEventList } }),
    async (request) => {
      const { merchant } = await requireAccess(deps, request, "webhooks:read");
      const { id } = await findWebhook(deps, merchant.id, webhookOf(request));
      return listEvents(deps, id, decode(WebhookEventQuery, request.query));
    },
  );
  app.get(
    `${WEBHOOK}/events/:event`,
    dashboardRoute("An event with its attempts", { response: { 200: WebhookEventDetail } }),
    async (request) => {
      const { merchant } = await requireAccess(deps, request, "webhooks:read");
      const { id } = await findWebhook(deps, merchant.id, webhookOf(request));
      return findEvent(deps, id, eventOf(request));
    },
  );
  app.post(
    `${WEBHOOK}/events/:event/replay`,
    dashboardRoute("Sends an event again, under the same id", { response: { 202: WebhookEventEntry } }),
    async (request, reply) => {
      const { merchant } = await requireAccess(deps, request, "webhooks:write");
      const event = await replayEvent(deps, merchant.id, webhookOf(request), eventOf(request));
      reply.code(202);
      return event;
    },
  );
}

const id = v.pipe(v.string(), v.maxLength(MAX_ID_LENGTH), v.regex(/^[0-9a-z_]*$/));

/** What is no id names nothing. */
function webhookOf({ params }: FastifyRequest): string {
  const named = v.safeParse(v.object({ webhook: id }), params);
  return named.success ? named.output.webhook : "";
}

function eventOf({ params }: FastifyRequest): string {
  const named = v.safeParse(v.object({ event: id }), params);
  return named.success ? named.output.event : "";
}
