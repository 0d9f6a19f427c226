/** The operator's settlements over HTTP, and for everyone what makes statements sure. */
import type { FastifyInstance } from "fastify";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { id128, merchantId } from "../../shared/protocol/fields.ts";
import { Inclusion, SignedRootResponse } from "../../shared/protocol/provider.ts";
import { settlementId, settlementJson } from "../../shared/statement.ts";
import type { AccessDeps } from "../access/index.ts";
import { type AdminDeps, requireAdmin } from "../admin/index.ts";
import { describe } from "../openapi.ts";
import { createInclusionProver } from "./inclusion.ts";
import { registerMerchantStatements } from "./merchant-routes.ts";
import { sendStatement } from "./send-statement.ts";
import { type SettlementDeps, settleAll, settleMerchant } from "./settle.ts";
import { parseSettlementId } from "./settlement.ts";
import { readStatement } from "./statement.ts";
import { type SignedStatement, type StatementDeps, signStatement } from "./statement-root.ts";

export interface SettlementRouteDeps extends SettlementDeps, StatementDeps, AdminDeps, AccessDeps {
  readonly merchants: AccessDeps["merchants"];
  readonly config: SettlementDeps["config"] & StatementDeps["config"] & AccessDeps["config"];
  readonly secrets: StatementDeps["secrets"] & AdminDeps["secrets"];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Without a merchant, everyone's. */
const SettlementRequest = v.optional(v.nullable(v.object({ merchant: v.optional(merchantId) })), {});

/** What is settled never changes. */
const ROOT_CACHE_SECONDS = 86_400;

export function registerSettlement(app: FastifyInstance, deps: SettlementRouteDeps): void {
  registerForEveryone(app, deps);
  registerMerchantStatements(app, deps);
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
      return sendStatement(reply, await findStatement(deps, settlementOf(params)), query);
    },
  );
}

function registerForEveryone(app: FastifyInstance, deps: SettlementRouteDeps): void {
  const prove = createInclusionProver(deps);
  /** A statement without a root is read whole: once, however many ask for it at the same time. */
  const reading = new Map<string, Promise<SignedStatement>>();
  const findOnce = (id: { readonly merchant: string; readonly number: number } | undefined) => {
    const key = id ? settlementId(id.merchant, id.number) : "";
    const found = reading.get(key) ?? findStatement(deps, id).finally(() => reading.delete(key));
    reading.set(key, found);
    return found;
  };
  const rootSchema = describe({
    summary: "The root of a statement's Merkle tree, signed",
    tags: ["merchants"],
    response: { 200: SignedRootResponse },
  });
  app.get(
    "/merchants/:merchant/settlements/:number",
    { config: { side: "anonymous" }, schema: rootSchema },
    async ({ params }, reply) => {
      const decoded = v.safeParse(RootParams, params);
      const { signedRoot } = await findOnce(decoded.success ? decoded.output : undefined);
      reply.header("cache-control", `public, max-age=${ROOT_CACHE_SECONDS}`);
      return { signedRoot };
    },
  );
  const inclusionSchema = describe({
    summary: "The proof that a payment is in its merchant's statement",
    tags: ["payments"],
    response: { 200: Inclusion },
  });
  app.get(
    "/payments/:id/inclusion",
    { config: { side: "anonymous" }, schema: inclusionSchema },
    async ({ params }) => {
      const decoded = v.safeParse(v.object({ id: id128 }), params);
      if (!decoded.success) throw new TuppenceError("payment_unknown");
      return prove(decoded.output.id);
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

const RootParams = v.object({
  merchant: merchantId,
  number: v.pipe(v.string(), v.regex(/^[1-9][0-9]{0,6}$/), v.transform(Number)),
});

function settlementOf(params: unknown) {
  const decoded = v.safeParse(v.object({ id: v.string() }), params);
  return decoded.success ? parseSettlementId(decoded.output.id) : undefined;
}

async function findStatement(
  deps: SettlementRouteDeps,
  id: { readonly merchant: string; readonly number: number } | undefined,
): Promise<SignedStatement> {
  const merchant = id && (await deps.merchants.get(id.merchant));
  const statement = id && merchant && (await readStatement(deps.ledger, merchant, id.number));
  if (!statement) throw new TuppenceError("settlement_unknown");
  return signStatement(deps, statement);
}
