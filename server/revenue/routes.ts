/** What a merchant is told of its money, over HTTP, for its owner and its programs. */
import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import type * as v from "valibot";
import {
  MerchantBalance,
  PaymentPage,
  PaymentsQuery,
  type RevenueByArticle,
  RevenueByDay,
  RevenueQuery,
} from "../../shared/protocol/revenue.ts";
import { requireAccess } from "../access/index.ts";
import { decode } from "../decode.ts";
import { describe } from "../openapi.ts";
import { readBalance } from "./balance.ts";
import { revenueByArticle } from "./by-article.ts";
import { revenueByDay } from "./by-day.ts";
import { catchUpForAnswer } from "./catch-up.ts";
import type { RevenueDeps } from "./deps.ts";
import { exportMovements } from "./export.ts";
import { latestPayments } from "./payments.ts";

export function registerRevenue(app: FastifyInstance, deps: RevenueDeps): void {
  const { currency } = deps.config;

  const revenueSchema = describe({
    summary: "A merchant's revenue by day or by article",
    description: `?from=2026-11-01&to=2026-11-30&by=day; days are cut in UTC. By article: the best ones first, ?sort=net|payments|refunds&limit=100.`,
    tags: ["dashboard"],
    response: { 200: RevenueByDay },
  });
  app.get(
    "/api/merchants/:merchant/revenue",
    { config: { side: "accounts" }, schema: revenueSchema },
    async (request): Promise<v.InferInput<typeof RevenueByDay> | v.InferInput<typeof RevenueByArticle>> => {
      const { merchant } = await requireAccess(deps, request, "payments:read");
      const query = decode(RevenueQuery, request.query);
      const isComplete = await catchUpForAnswer(deps, merchant.id);
      const common = { currency, from: query.from, to: query.to, isComplete };
      return query.by === "day"
        ? { ...common, days: await revenueByDay(deps, merchant.id, query) }
        : { ...common, ...(await revenueByArticle(deps, merchant.id, query)) };
    },
  );

  const paymentsSchema = describe({
    summary: "A merchant's payments, newest first",
    description: "?before=SEQUENCE goes on where a page ended.",
    tags: ["dashboard"],
    response: { 200: PaymentPage },
  });
  app.get(
    "/api/merchants/:merchant/payments",
    { config: { side: "accounts" }, schema: paymentsSchema },
    async (request): Promise<PaymentPage> => {
      const { merchant } = await requireAccess(deps, request, "payments:read");
      const query = decode(PaymentsQuery, request.query);
      return { currency, ...(await latestPayments(deps.ledger, merchant.id, query)) };
    },
  );

  const exportSchema = describe({
    summary: "Everything that ever moved a merchant's money, as CSV",
    tags: ["dashboard"],
  });
  app.get(
    "/api/merchants/:merchant/payments.csv",
    { config: { side: "accounts" }, schema: exportSchema },
    async (request, reply) => {
      const { merchant } = await requireAccess(deps, request, "payments:read");
      reply
        .header("content-type", "text/csv; charset=utf-8")
        .header("content-disposition", `attachment; filename="${merchant.id}-payments.csv"`);
      return Readable.from(exportMovements(deps.ledger, merchant.id, deps.config));
    },
  );

  const balanceSchema = describe({
    summary: "What a merchant is still to be paid, and when",
    tags: ["dashboard"],
    response: { 200: MerchantBalance },
  });
  app.get(
    "/api/merchants/:merchant/balance",
    { config: { side: "accounts" }, schema: balanceSchema },
    async (request): Promise<MerchantBalance> => {
      const { merchant } = await requireAccess(deps, request, "payments:read");
      return readBalance(deps, merchant);
    },
  );
}
