/** Genuine requests of a merchant's webhooks, by a program with a key. Nothing is sent: no worker runs beside. */
import { createApiKey } from "../../../server/access/api-keys.ts";
import { createWebhook, listWebhooks, removeWebhook } from "../../../server/webhooks/endpoints.ts";
import { listEvents } from "../../../server/webhooks/log.ts";
import { read } from "../../../server/webhooks/queue.ts";
import { SCOPES } from "../../../shared/protocol/dashboard.ts";
import { WEBHOOK_EVENT_TYPES } from "../../../shared/protocol/webhooks.ts";
import { MERCHANT } from "../../support/shop.ts";
import type { Endpoint, Genuine } from "./genuine.ts";
import type { World } from "./world.ts";

/** Public by its number, so that nothing is looked up. */
const ADDRESS = "https://8.8.8.8/hooks";
/** Below what a merchant may have, with room for those that are made by requests. */
const MOST_WEBHOOKS = 5;

export function webhookEndpoints(world: World): Endpoint[] {
  const { shop, deps } = world;
  let token: Promise<string> | undefined;

  const byKey: NonNullable<Genuine["sign"]> = async () => {
    token ??= createApiKey(deps, MERCHANT, { name: "Fuzz", scopes: [...SCOPES] }).then((made) => made.token);
    return { authorization: `Bearer ${await token}` };
  };

  const ask = async (method: Genuine["method"], path: string, body?: unknown): Promise<Genuine> => ({
    side: "accounts",
    method,
    url: `/api/merchants/${MERCHANT}/webhooks${path}`,
    sign: byKey,
    ...(body === undefined ? {} : { body }),
  });

  async function makeNew(): Promise<string> {
    const known = await listWebhooks(deps, MERCHANT);
    for (const { id } of known.slice(0, Math.max(0, known.length - MOST_WEBHOOKS)))
      await removeWebhook(deps, MERCHANT, id);
    const request = { url: ADDRESS, events: [...WEBHOOK_EVENT_TYPES] };
    return (await createWebhook(deps, MERCHANT, request)).webhook.id;
  }

  /** One that is enabled, for all who do not take it away. */
  async function make(): Promise<string> {
    const enabled = (await listWebhooks(deps, MERCHANT)).find(({ disabled }) => !disabled);
    return enabled?.id ?? (await makeNew());
  }

  async function told(): Promise<{ readonly webhook: string; readonly event: string }> {
    const webhook = await makeNew();
    shop.clock.now += 1;
    await shop.pay();
    await read(deps, "");
    const [event] = (await listEvents(deps, webhook, {})).events;
    if (!event) throw new Error("a payment was not read");
    return { webhook, event: event.id };
  }

  const path = "/api/merchants/{merchant}/webhooks";
  return [
    { route: `GET ${path}`, readsOnly: true, kinds: { all: () => ask("GET", "") } },
    {
      route: `POST ${path}`,
      readsOnly: true,
      weight: 2,
      kinds: { new: async () => ask("POST", "", { url: ADDRESS, events: ["payment.paid"] }) },
    },
    {
      route: `GET ${path}/{webhook}`,
      readsOnly: true,
      kinds: { one: async () => ask("GET", `/${await make()}`) },
    },
    {
      route: `POST ${path}/{webhook}`,
      readsOnly: true,
      weight: 2,
      kinds: {
        all: async () =>
          ask("POST", `/${await make()}`, { url: ADDRESS, events: ["payment.paid"], enabled: true }),
        disable: async () => ask("POST", `/${await make()}`, { enabled: false }),
      },
    },
    {
      route: `DELETE ${path}/{webhook}`,
      readsOnly: true,
      kinds: { one: async () => ask("DELETE", `/${await makeNew()}`) },
    },
    {
      route: `POST ${path}/{webhook}/secret`,
      readsOnly: true,
      kinds: { one: async () => ask("POST", `/${await make()}/secret`) },
    },
    {
      route: `POST ${path}/{webhook}/test`,
      readsOnly: true,
      kinds: { one: async () => ask("POST", `/${await make()}/test`) },
    },
    {
      route: `POST ${path}/{webhook}/replay`,
      readsOnly: true,
      kinds: { all: async () => ask("POST", `/${await make()}/replay`, { since: 0 }) },
    },
    {
      route: `GET ${path}/{webhook}/events`,
      readsOnly: true,
      kinds: {
        all: async () => ask("GET", `/${(await told()).webhook}/events`),
        on: async () => {
          const { webhook, event } = await told();
          return ask("GET", `/${webhook}/events?state=pending&before=${shop.clock.now}-${event}`);
        },
      },
    },
    {
      route: `GET ${path}/{webhook}/events/{event}`,
      readsOnly: true,
      kinds: {
        one: async () => {
          const { webhook, event } = await told();
          return ask("GET", `/${webhook}/events/${event}`);
        },
      },
    },
    {
      route: `POST ${path}/{webhook}/events/{event}/replay`,
      readsOnly: true,
      kinds: {
        one: async () => {
          const { webhook, event } = await told();
          return ask("POST", `/${webhook}/events/${event}/replay`);
        },
      },
    },
  ];
}
