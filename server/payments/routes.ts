/** The anonymous origin's payment endpoints; x402's `/supported`, `/verify`, `/settle` make the provider a facilitator. */
import type { FastifyInstance } from "fastify";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { id128 } from "../../shared/protocol/fields.ts";
import {
  PaymentLookup,
  RefundRequest,
  RefundResponse,
  RevokedReceipts,
} from "../../shared/protocol/provider.ts";
import {
  FacilitatorRequest,
  networkOf,
  SCHEME,
  SettleResponse,
  VerifyResponse,
  X402_VERSION,
} from "../../shared/protocol/x402.ts";
import { describe } from "../openapi.ts";
import type { PaymentDeps } from "./deps.ts";
import { lookUpPayment } from "./lookup.ts";
import { refundPayment } from "./refund.ts";
import { createRevocationList, REVOKED_SHARED_SECONDS } from "./revoked.ts";
import { type PaymentOutcome, settlePayment } from "./settle.ts";
import { verifyPayment } from "./verify.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** What became of the payment that was to be settled; undefined where it was not judged. */
    paymentOutcome?: PaymentOutcome;
  }
}

/** A revoked receipt is noticed by whoever checks within this time. */
const REVOKED_NOTICED_SECONDS = 30;
/** What our own list leaves of it. */
const REVOKED_CACHE_SECONDS = REVOKED_NOTICED_SECONDS - REVOKED_SHARED_SECONDS;

export function registerPayments(app: FastifyInstance, deps: PaymentDeps): void {
  const listRevoked = createRevocationList(deps.ledger, deps.now);
  const route = (summary: string, response: v.GenericSchema, body?: v.GenericSchema) => ({
    config: { side: "anonymous" as const },
    schema: describe({ summary, tags: ["payments"], response: { 200: response }, ...(body ? { body } : {}) }),
  });

  app.get("/x402/supported", route("What this x402 facilitator takes", SupportedResponse), async () =>
    supported(deps),
  );
  app.post(
    "/x402/verify",
    route("Whether a payment would go through now", VerifyResponse, FacilitatorRequest),
    async ({ body }) => verifyPayment(deps, body),
  );
  app.post("/x402/settle", route("Pays", SettleResponse, FacilitatorRequest), async (request) => {
    const { answer, outcome } = await settlePayment(deps, request.body);
    request.paymentOutcome = outcome;
    return answer;
  });
  app.post(
    "/payments/:id",
    route("The answer to a payment again, for its holder", SettleResponse, PaymentLookup),
    async ({ params, body }) => lookUpPayment(deps, paymentIdOf(params), body),
  );
  app.post(
    "/payments/:id/refund",
    route("Takes a payment back", RefundResponse, RefundRequest),
    async ({ params, body }) => refundPayment(deps, paymentIdOf(params), body),
  );
  app.get(
    "/receipts/revoked",
    route("The receipts of refunded payments", RevokedReceipts),
    async (_, reply) => {
      reply.header("cache-control", `public, max-age=${REVOKED_CACHE_SECONDS}`);
      return { revoked: await listRevoked() };
    },
  );
}

const SupportedResponse = v.object({
  kinds: v.array(
    v.object({
      x402Version: v.literal(X402_VERSION),
      scheme: v.literal(SCHEME),
      network: v.string(),
      extra: v.object({ provider: v.string() }),
    }),
  ),
  extensions: v.array(v.string()),
  signers: v.record(v.string(), v.array(v.string())),
});

function supported({ config }: PaymentDeps): v.InferInput<typeof SupportedResponse> {
  const kind = {
    x402Version: X402_VERSION,
    scheme: SCHEME,
    network: networkOf(config.currency),
    extra: { provider: config.origin },
  } as const;
  return { kinds: [kind], extensions: [], signers: {} };
}

const PaymentParams = v.object({ id: id128 });

export function paymentIdOf(params: unknown): string {
  const decoded = v.safeParse(PaymentParams, params);
  if (!decoded.success) throw new TuppenceError("payment_unknown");
  return decoded.output.id;
}
