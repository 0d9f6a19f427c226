/** A merchant's own statements, for its owner and its programs. */
import type { FastifyInstance } from "fastify";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { StatementPage, StatementsQuery } from "../../shared/protocol/revenue.ts";
import { settlementJson } from "../../shared/statement.ts";
import { type AccessDeps, requireAccess } from "../access/index.ts";
import { decode } from "../decode.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { describe } from "../openapi.ts";
import { latestClosing } from "../payments/index.ts";
import { findPayout } from "./payout.ts";
import { sendStatement } from "./send-statement.ts";
import { readStatement } from "./statement.ts";
import { type StatementDeps, signStatement } from "./statement-root.ts";

export interface MerchantStatementDeps extends AccessDeps, StatementDeps {
  readonly config: AccessDeps["config"] & StatementDeps["config"] & { readonly currency: string };
}

const StatementParams = v.object({
  number: v.pipe(v.string(), v.regex(/^[1-9][0-9]{0,6}$/), v.transform(Number)),
});

export function registerMerchantStatements(app: FastifyInstance, deps: MerchantStatementDeps): void {
  const listSchema = describe({
    summary: "A merchant's statements, newest first",
    tags: ["dashboard"],
    response: { 200: StatementPage },
  });
  app.get(
    "/api/merchants/:merchant/statements",
    { config: { side: "accounts" }, schema: listSchema },
    async (request): Promise<StatementPage> => {
      const { merchant } = await requireAccess(deps, request, "statements:read");
      const { before, limit } = decode(StatementsQuery, request.query);
      return {
        currency: deps.config.currency,
        ...(await listStatements(deps.ledger, merchant.id, before, limit)),
      };
    },
  );

  const oneSchema = describe({
    summary: "A merchant's statement, as JSON or with ?format=csv",
    tags: ["dashboard"],
  });
  app.get(
    "/api/merchants/:merchant/statements/:number",
    { config: { side: "accounts" }, schema: oneSchema },
    async (request, reply) => {
      const { merchant } = await requireAccess(deps, request, "statements:read");
      const params = v.safeParse(StatementParams, request.params);
      const statement = params.success
        ? await readStatement(deps.ledger, merchant, params.output.number)
        : undefined;
      if (!statement) throw new TuppenceError("settlement_unknown");
      return sendStatement(reply, await signStatement(deps, statement), request.query);
    },
  );
}

async function listStatements(
  ledger: Ledger,
  merchant: string,
  before: number | undefined,
  limit: number,
): Promise<Pick<StatementPage, "statements" | "hasMore">> {
  const last = (await latestClosing(ledger, merchant))?.number ?? 0;
  const statements: StatementPage["statements"] = [];
  let number = Math.min(last, (before ?? Number.MAX_SAFE_INTEGER) - 1);
  for (; number > 0 && statements.length < limit; number--) {
    const payout = await findPayout(ledger, `${merchant}-${number}`);
    // Closed a moment ago, and not settled yet.
    if (!payout) continue;
    const {
      closedAt,
      paymentCount,
      payments,
      refundCount,
      refunds,
      lateRefundCount = 0,
      lateRefunds = "0",
      uncollectedCount = 0,
      uncollected = "0",
      fee,
      payout: paid,
      carryForwardOut,
    } = settlementJson(payout.settlement);
    const path = `/api/merchants/${merchant}/statements/${number}`;
    statements.push({
      number,
      closedAt,
      paymentCount,
      payments,
      refundCount,
      refunds,
      lateRefundCount,
      lateRefunds,
      uncollectedCount,
      uncollected,
      fee,
      payout: paid,
      carryForwardOut,
      paidOutAt: payout.confirmed?.at ?? null,
      json: path,
      csv: `${path}?format=csv`,
    });
  }
  return { statements, hasMore: number > 0 };
}
