/** A merchant's sites, for its owner and for programs with the scope. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { SiteChecked, SiteList, SiteRequest } from "../../shared/protocol/dashboard.ts";
import { origin as originField } from "../../shared/protocol/fields.ts";
import { costlyRoute, dashboardRoute, requireAccess } from "../access/index.ts";
import { decode } from "../decode.ts";
import { checkSite } from "./check.ts";
import type { SiteDeps } from "./deps.ts";
import { addSite, listSites, removeSite } from "./store.ts";

export function registerSites(app: FastifyInstance, deps: SiteDeps): void {
  const path = "/api/merchants/:merchant/sites";
  app.get(path, dashboardRoute("Sites", { response: { 200: SiteList } }), async (request) => {
    const { merchant } = await requireAccess(deps, request, "sites:read");
    return { sites: await listSites(deps, merchant.id) };
  });
  app.post(
    path,
    costlyRoute(deps, "Adds a site, and looks for its proof", {
      body: SiteRequest,
      response: { 201: SiteChecked },
    }),
    async (request, reply) => {
      const { merchant } = await requireAccess(deps, request, "sites:write");
      const { origin } = decode(SiteRequest, request.body);
      rejectInsecure(deps, origin);
      await addSite(deps, merchant.id, origin);
      reply.code(201);
      return check(deps, merchant.id, origin);
    },
  );
  app.post(
    `${path}/:origin/check`,
    costlyRoute(deps, "Looks for a site's proof again", { response: { 200: SiteChecked } }),
    async (request) => {
      const { merchant } = await requireAccess(deps, request, "sites:write");
      return check(deps, merchant.id, originOf(request));
    },
  );
  app.delete(`${path}/:origin`, dashboardRoute("Removes a site"), async (request) => {
    const { merchant } = await requireAccess(deps, request, "sites:write");
    await removeSite(deps, merchant.id, originOf(request));
    return {};
  });
}

async function check(deps: SiteDeps, merchantId: string, origin: string) {
  const checked = await checkSite(deps, merchantId, origin);
  if (!checked) throw new TuppenceError("site_unknown");
  return checked;
}

/**
 * Without TLS whoever stands between could show a proof, and later a page with another price. Nobody stands between a page of
 * one's own machine and its reader.
 */
function rejectInsecure({ config }: SiteDeps, origin: string): void {
  const mayBePlain = config.mayCallPrivateAddresses || (config.mode === "test" && isOfOwnMachine(origin));
  if (!origin.startsWith("https:") && !mayBePlain) throw new TuppenceError("site_insecure");
}

function isOfOwnMachine(origin: string): boolean {
  const { hostname } = new URL(origin);
  return /^(.+\.)?localhost$/.test(hostname) || /^127(\.[0-9]+){3}$/.test(hostname) || hostname === "[::1]";
}

function originOf({ params }: FastifyRequest): string {
  const decoded = v.safeParse(v.object({ origin: originField }), params);
  if (!decoded.success) throw new TuppenceError("site_unknown");
  return decoded.output.origin;
}
