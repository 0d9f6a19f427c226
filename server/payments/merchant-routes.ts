/** What a merchant does with a payment, on the accounts origin. */
import type { FastifyInstance } from "fastify";
import { RefundGranted } from "../../shared/protocol/dashboard.ts";
import { type AccessDeps, dashboardRoute, requireAccess } from "../access/index.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { grantRefund } from "./grant.ts";
import { paymentIdOf } from "./routes.ts";

export function registerMerchantPayments(
  app: FastifyInstance,
  deps: AccessDeps & { readonly ledger: Ledger },
): void {
  app.post(
    "/api/merchants/:merchant/payments/:id/refund",
    dashboardRoute("Gives a payment back to its reader", {
      description:
        "Idempotent by the payment's id: asked again, it tells what became of it. The reader's wallet fetches the money.",
      response: { 200: RefundGranted },
    }),
    async (request): Promise<RefundGranted> => {
      const { merchant } = await requireAccess(deps, request, "refunds:write");
      return grantRefund(deps, merchant.id, paymentIdOf(request.params));
    },
  );
}
