import type { FastifyInstance } from "fastify";
import type * as v from "valibot";
import {
  DashboardProvider,
  MerchantSettings,
  MerchantSettingsRequest,
} from "../../shared/protocol/dashboard.ts";
import { dashboardRoute, requireOwner } from "../access/index.ts";
import { decode } from "../decode.ts";
import type { Merchant } from "../merchants/index.ts";
import type { DashboardDeps } from "./deps.ts";
import { servePages } from "./pages.ts";

export function registerDashboard(app: FastifyInstance, deps: DashboardDeps): void {
  servePages(app);
  app.get(
    "/api/provider",
    dashboardRoute("What the dashboard says of the provider", { response: { 200: DashboardProvider } }),
    async () => {
      const { name, origin, currency, feeBasisPoints, mode, counterpart } = deps.config;
      const answer: v.InferInput<typeof DashboardProvider> = {
        name,
        origin,
        currency,
        // There is no gateway yet that takes anything else.
        playMoney: true,
        mode,
        counterpart: counterpart?.accountsOrigin ?? null,
        feeBasisPoints: Number(feeBasisPoints),
      };
      return answer;
    },
  );

  const path = "/api/merchants/:merchant";
  app.get(
    path,
    dashboardRoute("A merchant's settings", { response: { 200: MerchantSettings } }),
    async (request) => {
      const { merchant } = await requireOwner(deps, request);
      return settingsOf(merchant);
    },
  );
  app.post(
    path,
    dashboardRoute("Changes a merchant's settings", {
      body: MerchantSettingsRequest,
      response: { 200: MerchantSettings },
    }),
    async (request) => {
      const { merchant } = await requireOwner(deps, request);
      const changes = decode(MerchantSettingsRequest, request.body);
      return settingsOf((await deps.merchants.put({ id: merchant.id, ...changes })).merchant);
    },
  );
}

function settingsOf(merchant: Merchant): v.InferInput<typeof MerchantSettings> {
  const { id, name, refundWindowSeconds, refundPolicy, sealsValidFrom } = merchant;
  return {
    id,
    name,
    refundWindowSeconds,
    refundPolicy,
    sealsValidFrom,
    origins: [...merchant.origins],
    frameParents: [...merchant.frameParents],
    sealKeys: [...merchant.sealKeys],
    refundsPerDay: merchant.refundsPerDay?.toString() ?? null,
    payoutMinimum: merchant.payoutMinimum.toString(),
  };
}
