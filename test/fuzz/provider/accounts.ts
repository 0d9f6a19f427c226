/** Genuine requests of accounts, top-ups, the gateway and the operator, and of what everyone may ask. */
import { randomBytes } from "node:crypto";
import { toBase64url, toHex } from "../../../shared/bytes.ts";
import { MERCHANT, REFUND_WINDOW_SECONDS } from "../../support/shop.ts";
import { byAccount, byGateway, byOperator, type Endpoint, type Genuine, get, post } from "./genuine.ts";
import { SMALLEST_BACKUP_BYTES, type World } from "./world.ts";

const TOP_UP = 5_000_000n;

const backupPart = (version: number) => ({
  version,
  content: toBase64url(randomBytes(SMALLEST_BACKUP_BYTES)),
});

export function accountEndpoints(world: World): Endpoint[] {
  const asAccount = async (method: Genuine["method"], url: string, body?: unknown): Promise<Genuine> => {
    const sign = byAccount(world, await world.useAccount());
    return { side: "accounts", method, url, sign, ...(body === undefined ? {} : { body }) };
  };

  const event = async (type: string): Promise<Genuine> => {
    const topUpId = await world.makeTopUp(await world.useAccount(), TOP_UP);
    return post(
      "accounts",
      "/gateways/sandbox/events",
      { type, topUpId, amount: `${TOP_UP}` },
      byGateway(world),
    );
  };

  const checkout = async (method: Genuine["method"], decision?: string): Promise<Genuine> => ({
    side: "accounts",
    method,
    url: `/checkout/sandbox/${await world.makeTopUp(await world.useAccount(), TOP_UP)}`,
    ...(decision === undefined ? {} : { form: `decision=${decision}` }),
  });

  return [
    {
      route: "POST /accounts",
      kinds: {
        again: () => asAccount("POST", "/accounts"),
        "with a body": () => asAccount("POST", "/accounts", {}),
      },
    },
    { route: "GET /accounts/me", readsOnly: true, kinds: { mine: () => asAccount("GET", "/accounts/me") } },
    {
      route: "POST /accounts/me/closure",
      kinds: {
        mine: () =>
          asAccount("POST", "/accounts/me/closure", { id: toHex(randomBytes(16)), gateway: "sandbox" }),
      },
    },
    {
      route: "GET /accounts/me/backup",
      readsOnly: true,
      kinds: { mine: () => asAccount("GET", "/accounts/me/backup") },
    },
    {
      route: "GET /accounts/me/backup/{name}",
      readsOnly: true,
      kinds: {
        "not there": () => asAccount("GET", `/accounts/me/backup/${toHex(randomBytes(16))}`),
        there: async () => {
          const account = await world.useAccount();
          return {
            side: "accounts",
            method: "GET",
            url: await world.makeBackup(account),
            sign: byAccount(world, account),
          };
        },
      },
    },
    {
      route: "POST /accounts/me/backup/{name}",
      // Nothing that is money, and a body of its own size.
      readsOnly: true,
      kinds: {
        new: () => asAccount("POST", `/accounts/me/backup/${toHex(randomBytes(16))}`, backupPart(0)),
        again: async () => {
          const account = await world.useAccount();
          const url = await world.makeBackup(account);
          return post("accounts", url, backupPart(1), byAccount(world, account));
        },
      },
    },
    {
      route: "POST /topups",
      weight: 3,
      kinds: {
        new: () =>
          asAccount("POST", "/topups", {
            id: toHex(randomBytes(16)),
            amount: `${TOP_UP}`,
            gateway: "sandbox",
          }),
      },
    },
    {
      route: "GET /topups/{id}",
      readsOnly: true,
      kinds: {
        open: async () => {
          const account = await world.useAccount();
          const url = `/topups/${await world.makeTopUp(account, TOP_UP)}`;
          return { side: "accounts", method: "GET", url, sign: byAccount(world, account) };
        },
      },
    },
    {
      route: "POST /gateways/{gateway}/events",
      weight: 3,
      kinds: {
        approved: () => event("approved"),
        declined: () => event("declined"),
        abandoned: () => event("abandoned"),
        "charged back": () => event("charged_back"),
        "signed, without a body": async () => ({
          side: "accounts",
          method: "POST",
          url: "/gateways/sandbox/events",
          sign: byGateway(world),
        }),
      },
    },
    { route: "GET /checkout/sandbox/{id}", readsOnly: true, kinds: { page: () => checkout("GET") } },
    {
      route: "POST /checkout/sandbox/{id}",
      kinds: {
        approve: () => checkout("POST", "approve"),
        decline: () => checkout("POST", "decline"),
        abandon: () => checkout("POST", "abandon"),
      },
    },
  ];
}

export function operatorEndpoints(world: World): Endpoint[] {
  const { shop } = world;

  /** The id of a payment whose refund window has ended. */
  async function matured(): Promise<string> {
    const { payment } = await shop.pay();
    shop.clock.now += (REFUND_WINDOW_SECONDS + 1) * 1_000;
    return payment.paymentId;
  }

  async function settled(): Promise<string> {
    const paymentId = await matured();
    await shop.operator("POST", "/admin/settlements", { merchant: MERCHANT });
    return paymentId;
  }

  const root = async (): Promise<Genuine> => {
    await settled();
    return { side: "anonymous", method: "GET", url: `/merchants/${MERCHANT}/settlements/1` };
  };

  const inclusion = async (payment: () => Promise<string>): Promise<Genuine> => ({
    side: "anonymous",
    method: "GET",
    url: `/payments/${await payment()}/inclusion`,
  });

  const statement = async (query: string): Promise<Genuine> => {
    await settled();
    const url = `/admin/settlements/${MERCHANT}-1${query}`;
    return { side: "accounts", method: "GET", url, sign: byOperator(world) };
  };

  const settle = async (body: unknown): Promise<Genuine> => {
    await matured();
    return post("accounts", "/admin/settlements", body, byOperator(world));
  };

  return [
    {
      route: "GET /merchants/{id}",
      readsOnly: true,
      kinds: { record: get("anonymous", `/merchants/${MERCHANT}`) },
    },
    {
      route: "POST /admin/merchants",
      weight: 3,
      kinds: {
        new: async () =>
          post(
            "accounts",
            "/admin/merchants",
            {
              id: `shop-${toHex(randomBytes(4))}`,
              name: "A shop",
              origins: ["https://shop.example"],
              frameParents: ["https://frame.example"],
              refundWindowSeconds: 60,
              refundPolicy: "Within a day. Later, write to us.",
              payoutMinimum: "100000",
              sealKeys: [shop.sealKey.publicJwk],
              sealsValidFrom: 1,
            },
            byOperator(world),
          ),
        update: async () =>
          post(
            "accounts",
            "/admin/merchants",
            { id: MERCHANT, name: "The Lantern", origins: ["https://lantern.example"] },
            byOperator(world),
          ),
      },
    },
    {
      route: "POST /admin/settlements",
      kinds: { one: () => settle({ merchant: MERCHANT }), all: () => settle({}) },
    },
    {
      route: "GET /admin/settlements/{id}",
      readsOnly: true,
      kinds: { json: () => statement(""), csv: () => statement("?format=csv") },
    },
    { route: "GET /merchants/{merchant}/settlements/{number}", readsOnly: true, kinds: { root } },
    {
      route: "GET /payments/{id}/inclusion",
      readsOnly: true,
      kinds: { settled: () => inclusion(settled), early: () => inclusion(matured) },
    },
    { route: "GET /healthz", readsOnly: true, kinds: { probe: get("accounts", "/healthz") } },
    { route: "GET /readyz", readsOnly: true, kinds: { probe: get("anonymous", "/readyz") } },
    ...["tuppence", "jwks", "keysets"].map(
      (name): Endpoint => ({
        route: `GET /.well-known/${name}.json`,
        readsOnly: true,
        kinds: { all: get("anonymous", `/.well-known/${name}.json`) },
      }),
    ),
  ];
}
