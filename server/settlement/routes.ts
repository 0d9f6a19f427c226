/** The operator's settlements over HTTP. */
import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { merchantId } from "../../shared/protocol/fields.ts";
import { type AdminDeps, requireAdmin } from "../admin/index.ts";
import { describe } from "../openapi.ts";
import { type SettlementDeps, settleAll, settleMerchant } from "./settle.ts";
import { parseSettlementId, settlementId, settlementJson } from "./settlement.ts";
import { readStatement } from "./statement.ts";
import { formatStatement, STATEMENT_CSV, STATEMENT_JSON } from "./statement-formats.ts";

export interface SettlementRouteDeps extends SettlementDeps, AdminDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Without a merchant, everyone's. */
const SettlementRequest = v.optional(v.nullable(v.object({ merchant: v.optional(merchantId) })), {});

export function registerSettlement(app: FastifyInstance, deps: SettlementRouteDeps): void {
  const settleSchema = describe({ summary: "Settles what has matured", tags: ["operator"] });
  app.post(
    "/admin/settlements",
    { config: { side: "accounts" }, schema: settleSchema },
    async ({ headers, body }) => {
      requireAdmin(deps, headers.authorization);
      const request = v.safeParse(SettlementRequest, body);
      if (!request.success) throw new TuppenceError("request_invalid");
      const settlements = await settleRequested(deps, request.output?.merchant);
      return {
        settlements: settlements.map((settlement) => ({
          id: settlementId(settlement.merchant, settlement.number),
          ...settlementJson(settlement),
        })),
      };
    },
  );
  const statementSchema = describe({
    summary: "A settlement's statement, as JSON or with ?format=csv",
    tags: ["operator"],
  });
  app.get(
    "/admin/settlements/:id",
    { config: { side: "accounts" }, schema: statementSchema },
    async ({ headers, params, query }, reply) => {
      requireAdmin(deps, headers.authorization);
      const statement = await findStatement(deps, params);
      const format = v.safeParse(StatementQuery, query);
      if (!format.success) throw new TuppenceError("request_invalid");
      if (format.output.format === "json") {
        reply.header("content-type", "application/json; charset=utf-8");
        return Readable.from(formatStatement(statement, STATEMENT_JSON));
      }
      reply
        .header("content-type", "text/csv; charset=utf-8")
        .header("content-disposition", `attachment; filename="${statement.id}.csv"`);
      return Readable.from(formatStatement(statement, STATEMENT_CSV));
    },
  );
}

async function settleRequested(deps: SettlementRouteDeps, id: string | undefined) {
  const options = { now: deps.now() };
  if (id === undefined) return settleAll(deps, options);
  const merchant = await deps.merchants.get(id);
  if (!merchant) throw new TuppenceError("merchant_unknown", { merchant: id });
  return settleMerchant(deps, merchant, options);
}

const StatementQuery = v.object({ format: v.optional(v.picklist(["json", "csv"]), "json") });

async function findStatement(deps: SettlementRouteDeps, params: unknown) {
  const decoded = v.safeParse(v.object({ id: v.string() }), params);
  const id = decoded.success ? parseSettlementId(decoded.output.id) : undefined;
  const merchant = id && (await deps.merchants.get(id.merchant));
  const statement = id && merchant && (await readStatement(deps.ledger, merchant, id.number));
  if (!statement) throw new TuppenceError("settlement_unknown");
  return statement;
}
