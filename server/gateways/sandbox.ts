/**
 * The sandbox gateway: a hosted checkout where a payment is approved, declined or abandoned with a button. Its
 * decisions go the way of every gateway's events. No script runs on its pages; the policy allows one style sheet.
 */
import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply } from "fastify";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { id128 } from "../../shared/protocol/fields.ts";
import { describe } from "../openapi.ts";
import { findTopUp, type TopUp } from "../topups/index.ts";
import { CHECKOUT_STYLE, checkoutPage, missingPage, refusedPage, resultPage } from "./checkout-page.ts";
import type { GatewayDeps } from "./deps.ts";
import { applyGatewayEvent, type GatewayEvent } from "./events.ts";

const GATEWAY = "sandbox";
const STYLE_HASH = createHash("sha256").update(CHECKOUT_STYLE, "utf8").digest("base64");
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;

const Params = v.object({ id: id128 });
const Decision = v.object({ decision: v.picklist(["approve", "decline", "abandon"]) });
const EVENT_OF = { approve: "approved", decline: "declined", abandon: "abandoned" } as const satisfies Record<
  string,
  GatewayEvent["type"]
>;

export function registerSandbox(app: FastifyInstance, deps: GatewayDeps): void {
  const terms = deps.config;
  const route = (summary: string) => ({
    config: { side: "accounts" as const },
    schema: describe({ summary, tags: ["top-ups"] }),
  });

  app.get("/checkout/sandbox/:id", route("The sandbox gateway's page"), async (request, reply) => {
    const topUp = await findOpenOrEnded(deps, request.params);
    if (!topUp) return page(reply, 404, missingPage(terms));
    return page(reply, 200, topUp.state === "open" ? checkoutPage(terms, topUp) : resultPage(terms, topUp));
  });

  app.post("/checkout/sandbox/:id", route("The reader's decision"), async (request, reply) => {
    const topUp = await findOpenOrEnded(deps, request.params);
    if (!topUp) return page(reply, 404, missingPage(terms));
    const form = v.safeParse(Decision, request.body);
    if (!form.success) throw new TuppenceError("request_invalid");
    // A second press, or the back button: what was decided first is shown.
    if (topUp.state !== "open") return page(reply, 200, resultPage(terms, topUp));
    try {
      const decided = await applyGatewayEvent(deps, GATEWAY, {
        type: EVENT_OF[form.output.decision],
        topUpId: topUp.id,
        amount: topUp.amount,
      });
      return page(reply, 200, resultPage(terms, decided));
    } catch (error) {
      if (!(error instanceof TuppenceError)) throw error;
      return page(reply, 200, refusedPage(terms, error.code));
    }
  });
}

async function findOpenOrEnded(deps: GatewayDeps, params: unknown): Promise<TopUp | undefined> {
  const decoded = v.safeParse(Params, params);
  const topUp = decoded.success ? await findTopUp(deps, decoded.output.id) : undefined;
  return topUp?.gateway === GATEWAY ? topUp : undefined;
}

function page(reply: FastifyReply, status: number, html: string): FastifyReply {
  return reply
    .code(status)
    .header("content-security-policy", POLICY)
    .header("cache-control", "no-store")
    .type("text/html; charset=utf-8")
    .send(html);
}
