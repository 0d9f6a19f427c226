/** Sites that were proven elsewhere: the live provider's, in test mode. */
import { checkSite } from "./check.ts";
import type { SiteDeps } from "./deps.ts";
import { addSite, listSites, MAX_SITES_PER_MERCHANT } from "./store.ts";

/** Adds those that are not there, as far as there is room. */
export async function bringSites(
  deps: SiteDeps,
  merchantId: string,
  origins: readonly string[],
): Promise<void> {
  const there = (await listSites(deps, merchantId)).map(({ origin }) => origin);
  const missing = origins.filter((origin) => !there.includes(origin));
  for (const origin of missing.slice(0, Math.max(0, MAX_SITES_PER_MERCHANT - there.length))) {
    await addSite(deps, merchantId, origin);
    await checkSite(deps, merchantId, origin);
  }
}
