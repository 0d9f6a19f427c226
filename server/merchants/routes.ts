/** The merchant record for everyone, the registration for the operator. */
import type { FastifyInstance } from "fastify";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import type { SigningKey } from "../../shared/jws.ts";
import { merchantId } from "../../shared/protocol/fields.ts";
import { MerchantResponse } from "../../shared/protocol/provider.ts";
import { type AdminDeps, requireAdmin } from "../admin/index.ts";
import { describe } from "../openapi.ts";
import { type Merchant, MerchantRegistration } from "./merchant.ts";
import { issueMerchantRecord } from "./record.ts";
import type { MerchantStore } from "./store.ts";

export interface MerchantDeps extends AdminDeps {
  readonly merchants: MerchantStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly config: { readonly origin: string };
  readonly secrets: AdminDeps["secrets"] & { readonly signingKey: SigningKey };
}

const RECORD_CACHE_SECONDS = 300;

export function registerMerchants(app: FastifyInstance, deps: MerchantDeps): void {
  const recordSchema = describe({
    summary: "A merchant's signed record",
    tags: ["merchants"],
    response: { 200: MerchantResponse },
  });
  app.get(
    "/merchants/:id",
    { config: { side: "anonymous" }, schema: recordSchema },
    async ({ params }, reply) => {
      const merchant = await findMerchant(deps, params);
      reply.header("cache-control", `public, max-age=${RECORD_CACHE_SECONDS}`);
      return {
        merchantRecord: await issueMerchantRecord(
          merchant,
          deps.config.origin,
          deps.secrets.signingKey,
          Math.floor(deps.now() / 1_000),
        ),
      };
    },
  );

  const adminSchema = describe({
    summary: "Registers or updates a merchant",
    tags: ["operator"],
    body: MerchantRegistration,
  });
  app.post(
    "/admin/merchants",
    { config: { side: "accounts" }, schema: adminSchema },
    async ({ headers, body }, reply) => {
      requireAdmin(deps, headers.authorization);
      const { merchant, isNew } = await deps.merchants.put(decodeRegistration(body));
      reply.code(isNew ? 201 : 200);
      return merchantJson(merchant);
    },
  );
}

/** @throws TuppenceError merchant_invalid, with the place and the problem */
export function decodeRegistration(value: unknown): MerchantRegistration {
  const decoded = v.safeParse(MerchantRegistration, value);
  if (decoded.success) return decoded.output;
  const [issue] = decoded.issues;
  throw new TuppenceError("merchant_invalid", {
    at: v.getDotPath(issue)?.slice(0, 100) ?? "body",
    problem: issue.message.slice(0, 200),
  });
}

function merchantJson(merchant: Merchant) {
  const { refundsPerDay, payoutMinimum } = merchant;
  return {
    ...merchant,
    refundsPerDay: refundsPerDay?.toString() ?? null,
    payoutMinimum: payoutMinimum.toString(),
  };
}

async function findMerchant(deps: MerchantDeps, params: unknown): Promise<Merchant> {
  const decoded = v.safeParse(v.object({ id: merchantId }), params);
  const merchant = decoded.success ? await deps.merchants.get(decoded.output.id) : undefined;
  if (!merchant) throw new TuppenceError("merchant_unknown");
  return merchant;
}
