/** Genuine requests of site owners and of their programs. Each owner is new, so that none runs into how much one may have. */
import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { ApiKeyMade, RecoveryCodes } from "../../../shared/protocol/dashboard.ts";
import { makeKey } from "../../support/access.ts";
import { createAuthenticator } from "../../support/authenticator.ts";
import { CreationOptions, RequestOptions } from "../../support/owner.ts";
import { MERCHANT, REFUND_WINDOW_SECONDS } from "../../support/shop.ts";
import type { Endpoint, Genuine } from "./genuine.ts";
import type { World } from "./world.ts";

type Kind = () => Promise<Genuine>;
/** Nobody is there: a site that is looked at is not the provider's code. */
const SITE = "https://127.0.0.1:1";

export function dashboardEndpoints({ shop, deps }: World): Endpoint[] {
  async function call(method: Genuine["method"], url: string, body?: object, cookie = "") {
    const answer = await shop.app.inject({
      method,
      url,
      headers: { host: new URL(shop.accountsOrigin).host, ...(cookie === "" ? {} : { cookie }) },
      ...(body ? { payload: body } : {}),
    });
    const [session] = answer.cookies;
    const said: unknown = JSON.parse(answer.body);
    return { body: said, cookie: session ? `${session.name}=${session.value}` : cookie };
  }

  async function newOwner() {
    const device = createAuthenticator(shop.accountsOrigin);
    const options = await call("POST", "/api/sign-up/options", { name: "Ada" });
    const response = device.create(v.parse(CreationOptions, options.body));
    const { body, cookie } = await call("POST", "/api/sign-up", { name: "Laptop", response });
    return { device, cookie, codes: v.parse(RecoveryCodes, body).codes };
  }

  async function newMerchant() {
    const owner = await newOwner();
    const id = `m-${randomBytes(8).toString("hex")}`;
    await call("POST", "/api/me/merchants", { id, name: "The Mirror" }, owner.cookie);
    return { ...owner, id, path: `/api/merchants/${id}` };
  }

  const as = (cookie: string, method: Genuine["method"], url: string, body?: unknown): Genuine => ({
    side: "accounts",
    method,
    url,
    ...(body === undefined ? {} : { body }),
    sign: async () => ({ cookie }),
  });
  const open = (method: Genuine["method"], url: string, body: unknown): Genuine => ({
    side: "accounts",
    method,
    url,
    body,
  });
  /** By whoever just signed up. */
  const asOwner =
    (method: Genuine["method"], url: string, body?: unknown): Kind =>
    async () =>
      as((await newOwner()).cookie, method, url, body);
  /** By the merchant's owner. */
  const asMerchant =
    (method: Genuine["method"], rest: string, body?: unknown): Kind =>
    async () => {
      const { cookie, path } = await newMerchant();
      return as(cookie, method, `${path}${rest}`, body);
    };
  const key = { name: "Back end", scopes: ["sites:read", "payments:read"] };
  const site = encodeURIComponent(SITE);

  async function withSite(method: Genuine["method"], rest: string): Promise<Genuine> {
    const { cookie, path } = await newMerchant();
    await call("POST", `${path}/sites`, { origin: SITE }, cookie);
    return as(cookie, method, `${path}/sites/${site}${rest}`);
  }

  async function creation(url: string, cookie = "") {
    return v.parse(CreationOptions, (await call("POST", url, { name: "Ada" }, cookie)).body);
  }

  let program: Record<string, string> | undefined;

  /** By a program of the merchant that is paid. */
  const asProgram =
    (rest: string, prepare: () => Promise<unknown> = () => shop.pay()): Kind =>
    async () => {
      program ??= await makeKey(deps, MERCHANT, "payments:read", "statements:read");
      const headers = program;
      await prepare();
      const url = `/api/merchants/${MERCHANT}${rest}`;
      return { side: "accounts", method: "GET", url, sign: async () => headers };
    };

  let cashier: Record<string, string> | undefined;

  async function givingBack(paymentId: string): Promise<Genuine> {
    cashier ??= await makeKey(deps, MERCHANT, "refunds:write");
    const headers = cashier;
    const url = `/api/merchants/${MERCHANT}/payments/${paymentId}/refund`;
    return { side: "accounts", method: "POST", url, sign: async () => headers };
  }

  async function settled(): Promise<void> {
    await shop.pay();
    shop.clock.now += (REFUND_WINDOW_SECONDS + 1) * 1_000;
    await shop.operator("POST", "/admin/settlements", { merchant: MERCHANT });
  }

  const endpoints: Readonly<Record<string, Endpoint["kinds"]>> = {
    "POST /api/sign-up/options": { new: async () => open("POST", "/api/sign-up/options", { name: "Ada" }) },
    "POST /api/sign-up": {
      new: async () => {
        const response = createAuthenticator(shop.accountsOrigin).create(
          await creation("/api/sign-up/options"),
        );
        return open("POST", "/api/sign-up", { name: "Laptop", response });
      },
    },
    "POST /api/session/options": { any: async () => open("POST", "/api/session/options", {}) },
    "POST /api/session": {
      passkey: async () => {
        const { device } = await newOwner();
        const options = v.parse(RequestOptions, (await call("POST", "/api/session/options", {})).body);
        return open("POST", "/api/session", { response: device.get(options) });
      },
    },
    "POST /api/session/recover": {
      code: async () => open("POST", "/api/session/recover", { code: (await newOwner()).codes[0] }),
    },
    "DELETE /api/session": { mine: asOwner("DELETE", "/api/session") },
    "GET /api/me": { mine: asOwner("GET", "/api/me") },
    "POST /api/me/passkeys/options": { mine: asOwner("POST", "/api/me/passkeys/options", { name: "Ada" }) },
    "POST /api/me/passkeys": {
      further: async () => {
        const { cookie, device } = await newOwner();
        const response = device.create(await creation("/api/me/passkeys/options", cookie));
        return as(cookie, "POST", "/api/me/passkeys", { name: "Phone", response });
      },
    },
    "DELETE /api/me/passkeys/{id}": {
      "the only one": async () => {
        const { cookie, device } = await newOwner();
        return as(cookie, "DELETE", `/api/me/passkeys/${device.ids()[0]}`);
      },
    },
    "POST /api/me/handover": { mine: asOwner("POST", "/api/me/handover", { nonceHash: "ab".repeat(32) }) },
    "POST /api/me/recovery-codes": { new: asOwner("POST", "/api/me/recovery-codes") },
    "POST /api/me/merchants": {
      new: async () => {
        const { cookie } = await newOwner();
        const id = `n-${randomBytes(8).toString("hex")}`;
        return as(cookie, "POST", "/api/me/merchants", { id, name: "The Other" });
      },
    },
    "GET /api/provider": { any: async () => ({ side: "accounts", method: "GET", url: "/api/provider" }) },
    "GET /api/merchants/{merchant}": { mine: asMerchant("GET", "") },
    "POST /api/merchants/{merchant}": {
      name: asMerchant("POST", "", {
        name: "Another name",
        refundWindowSeconds: 3_600,
        payoutMinimum: "10000",
        refundsPerDay: "5000000",
        refundPolicy: "Within a day. Later, write to us.",
      }),
      keys: asMerchant("POST", "", {
        sealKeys: [shop.sealKey.publicJwk],
        frameParents: [SITE],
        sealsValidFrom: 1,
      }),
    },
    "GET /api/merchants/{merchant}/keys": { mine: asMerchant("GET", "/keys") },
    "POST /api/merchants/{merchant}/keys": { new: asMerchant("POST", "/keys", key) },
    "DELETE /api/merchants/{merchant}/keys/{id}": {
      mine: async () => {
        const { cookie, path } = await newMerchant();
        const made = v.parse(ApiKeyMade, (await call("POST", `${path}/keys`, key, cookie)).body);
        return as(cookie, "DELETE", `${path}/keys/${made.key.id}`);
      },
    },
    "GET /api/merchants/{merchant}/sites": {
      mine: asMerchant("GET", "/sites"),
      "by key": async () => {
        const { cookie, path } = await newMerchant();
        const { token } = v.parse(ApiKeyMade, (await call("POST", `${path}/keys`, key, cookie)).body);
        return {
          side: "accounts",
          method: "GET",
          url: `${path}/sites`,
          sign: async () => ({ authorization: `Bearer ${token}` }),
        };
      },
    },
    "POST /api/merchants/{merchant}/sites": { new: asMerchant("POST", "/sites", { origin: SITE }) },
    "GET /api/merchants/{merchant}/revenue": {
      "by day": asProgram("/revenue?from=2026-01-01&to=2026-12-31&by=day"),
      "by article": asProgram("/revenue?from=2026-01-15&to=2026-12-14&by=article&sort=refunds&limit=9"),
      owner: asMerchant("GET", "/revenue?from=2026-01-01&to=2026-01-01&by=day"),
    },
    "GET /api/merchants/{merchant}/payments": {
      latest: asProgram("/payments"),
      older: asProgram("/payments?before=1000&limit=3"),
    },
    "POST /api/merchants/{merchant}/payments/{id}/refund": {
      fresh: async () => givingBack((await shop.pay()).payment.paymentId),
      settled: async () => {
        const { payment } = await shop.pay();
        shop.clock.now += (REFUND_WINDOW_SECONDS + 1) * 1_000;
        await shop.operator("POST", "/admin/settlements", { merchant: MERCHANT });
        return givingBack(payment.paymentId);
      },
    },
    "GET /api/merchants/{merchant}/payments.csv": { all: asProgram("/payments.csv") },
    "GET /api/merchants/{merchant}/balance": {
      paid: asProgram("/balance"),
      new: asMerchant("GET", "/balance"),
    },
    "GET /api/merchants/{merchant}/statements": {
      list: asProgram("/statements", settled),
      older: asProgram("/statements?before=2&limit=1", settled),
    },
    "GET /api/merchants/{merchant}/statements/{number}": {
      json: asProgram("/statements/1", settled),
      csv: asProgram("/statements/1?format=csv", settled),
    },
    "POST /api/merchants/{merchant}/sites/{origin}/check": { mine: () => withSite("POST", "/check") },
    "DELETE /api/merchants/{merchant}/sites/{origin}": { mine: () => withSite("DELETE", "") },
  };
  return Object.entries(endpoints).map(([route, kinds]) => ({
    route,
    kinds,
    // None of the others moves money.
    ...(route.endsWith("/refund") ? {} : { readsOnly: true }),
  }));
}
