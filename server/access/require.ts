/**
 * The one place that decides who may do what for a merchant. Every route under `/api/merchants/:merchant/` asks here first;
 * a merchant that is somebody else's is answered like one that there is not.
 */
import type { FastifyRequest } from "fastify";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import type { Scope } from "../../shared/protocol/dashboard.ts";
import { merchantId } from "../../shared/protocol/fields.ts";
import type { Merchant } from "../merchants/index.ts";
import { findApiKey } from "./api-keys.ts";
import type { AccessDeps } from "./deps.ts";
import { ownerOfSession } from "./sessions.ts";

/** Who acts, for logs of what was done. */
export type Actor =
  | { readonly kind: "owner"; readonly id: string }
  | { readonly kind: "key"; readonly id: string };

export interface MerchantAccess {
  readonly merchant: Merchant;
  readonly actor: Actor;
}

/**
 * The merchant that the route's `:merchant` names, for a signed-in owner or an API key with this scope.
 *
 * @throws TuppenceError access_required, merchant_unknown, scope_missing
 */
export async function requireAccess(
  deps: AccessDeps,
  request: FastifyRequest,
  scope: Scope,
): Promise<MerchantAccess> {
  const token = bearerOf(request);
  if (token === undefined) return requireOwner(deps, request);
  const key = await findApiKey(deps, token);
  if (!key) throw new TuppenceError("access_required");
  const merchant = await findMerchant(deps, request);
  if (merchant?.id !== key.merchantId) throw new TuppenceError("merchant_unknown");
  if (!key.scopes.includes(scope)) throw new TuppenceError("scope_missing", { scope });
  return { merchant, actor: { kind: "key", id: key.id } };
}

/**
 * As `requireAccess`, for what no program may do: keys, passkeys, the merchant's name.
 *
 * @throws TuppenceError access_required, merchant_unknown
 */
export async function requireOwner(deps: AccessDeps, request: FastifyRequest): Promise<MerchantAccess> {
  const owner = await ownerOfSession(deps, request);
  const merchant = await findMerchant(deps, request);
  if (merchant?.ownerId !== owner) throw new TuppenceError("merchant_unknown");
  return { merchant, actor: { kind: "owner", id: owner } };
}

async function findMerchant(deps: AccessDeps, request: FastifyRequest): Promise<Merchant | undefined> {
  const params = v.safeParse(v.object({ merchant: merchantId }), request.params);
  return params.success ? deps.merchants.get(params.output.merchant) : undefined;
}

function bearerOf({ headers }: FastifyRequest): string | undefined {
  if (headers.authorization === undefined) return undefined;
  return /^Bearer +(\S{1,200})$/i.exec(headers.authorization)?.[1] ?? "";
}
