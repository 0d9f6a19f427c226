/**
 * Whether a site still shows its merchant's proof.
 *
 * not proven → proven, when the proof is found → (missing since …) → not proven, after three days without it. A site may be
 * down, and a deployment may lose a file; readers go on paying meanwhile. But where another merchant has just proven the
 * same site, it changed hands or is shared: then the proofs before are looked at at once, and what is not there ends.
 */
import type { ProofAttempt, Site } from "../../shared/protocol/dashboard.ts";
import type { SiteDeps } from "./deps.ts";
import { proveSite } from "./prove.ts";
import { findSite, otherMerchantsOf, takeDueSites, updateSite } from "./store.ts";

const GRACE_MILLISECONDS = 3 * 24 * 3_600_000;
const CHECK_EVERY_MILLISECONDS = 24 * 3_600_000;

export interface CheckedSite {
  readonly site: Site;
  readonly attempts: readonly ProofAttempt[];
}

/** Undefined if the merchant has no such site (any more). */
export async function checkSite(
  deps: SiteDeps,
  merchantId: string,
  origin: string,
  graceMilliseconds = GRACE_MILLISECONDS,
): Promise<CheckedSite | undefined> {
  const before = await findSite(deps, merchantId, origin);
  if (!before) return undefined;
  const attempts = await proveSite(deps, origin, before.token);
  const found = attempts.find((attempt) => attempt.found);
  const now = deps.now();
  if (found) {
    await updateSite(deps, merchantId, origin, { method: found.method, provenAt: now, missingSince: null });
    if (before.provenAt === null) await checkOthers(deps, merchantId, origin);
  } else if (before.provenAt !== null) {
    const missingSince = before.missingSince ?? now;
    const isLost = now - missingSince >= graceMilliseconds;
    await updateSite(
      deps,
      merchantId,
      origin,
      isLost
        ? { method: null, provenAt: null, missingSince: null }
        : { method: before.method, provenAt: before.provenAt, missingSince },
    );
  }
  const site = await findSite(deps, merchantId, origin);
  return site && { site, attempts };
}

async function checkOthers(deps: SiteDeps, merchantId: string, origin: string): Promise<void> {
  for (const other of await otherMerchantsOf(deps, merchantId, origin))
    await checkSite(deps, other, origin, 0);
}

/** The job: proven sites whose day is over, one after the other. */
export async function checkDueSites(deps: SiteDeps): Promise<void> {
  const due = await takeDueSites(deps, deps.now() + CHECK_EVERY_MILLISECONDS);
  for (const { merchantId, origin } of due) await checkSite(deps, merchantId, origin);
}
