/**
 * Whether a site still shows its merchant's proof.
 *
 * not proven → proven, when the proof is found → (missing since …) → not proven, after three days without it. A site may be
 * down, and a deployment may lose a file; readers go on paying meanwhile. But where another merchant has just proven the
 * same site, it changed hands or is shared: then the proofs before are looked at at once, and what is not there ends.
 * While no site at all answered for a day, it is the provider that is cut off, and nothing is concluded.
 */
import type { ProofAttempt, Site } from "../../shared/protocol/dashboard.ts";
import type { SiteDeps } from "./deps.ts";
import { type Look, proveSite } from "./prove.ts";
import { findSite, otherMerchantsOf, putOffCheck, takeDueSites, updateSite } from "./store.ts";

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
  if (deps.config.mode === "test") return acceptSite(deps, merchantId, origin);
  const looked = await lookAtSite(deps, merchantId, origin);
  return looked && judgeSite(deps, looked, graceMilliseconds);
}

interface LookedAtSite {
  readonly merchantId: string;
  readonly origin: string;
  readonly before: Site;
  readonly looks: readonly Look[];
}

async function lookAtSite(
  deps: SiteDeps,
  merchantId: string,
  origin: string,
): Promise<LookedAtSite | undefined> {
  const before = await findSite(deps, merchantId, origin);
  return before && { merchantId, origin, before, looks: await proveSite(deps, origin, before.token) };
}

async function judgeSite(
  deps: SiteDeps,
  { merchantId, origin, before, looks }: LookedAtSite,
  graceMilliseconds: number,
): Promise<CheckedSite | undefined> {
  const found = looks.find((look) => look.found);
  const now = deps.now();
  if (found) {
    await updateSite(deps, merchantId, origin, { method: found.method, provenAt: now, missingSince: null });
    if (before.provenAt === null) await checkOthers(deps, merchantId, origin);
  } else if (before.provenAt !== null) {
    const missingSince = before.missingSince ?? now;
    // Whoever did not answer has not said that the proof is gone.
    const grace = looks.every(({ answered }) => answered) ? graceMilliseconds : GRACE_MILLISECONDS;
    const isLost = now - missingSince >= grace;
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
  return (
    site && {
      site,
      attempts: looks.map(({ method, found: isFound, seen }) => ({ method, found: isFound, seen })),
    }
  );
}

/**
 * In test mode a site counts when it was added: what is paid there is worth nothing, and the address may be one that only its
 * owner's machine reaches.
 */
async function acceptSite(
  deps: SiteDeps,
  merchantId: string,
  origin: string,
): Promise<CheckedSite | undefined> {
  await updateSite(deps, merchantId, origin, { method: null, provenAt: deps.now(), missingSince: null });
  const site = await findSite(deps, merchantId, origin);
  return site && { site, attempts: [] };
}

async function checkOthers(deps: SiteDeps, merchantId: string, origin: string): Promise<void> {
  const others = await otherMerchantsOf(deps, merchantId, origin, MAX_OTHERS);
  await Promise.all(others.map((other) => checkSite(deps, other, origin, 0)));
}

/** More merchants than this are on one site only where nobody bought it. */
const MAX_OTHERS = 5;
/** At one turn of the job, side by side: they wait for each other's slowest. */
const CHECKS_AT_ONCE = 10;
const AGAIN_AFTER_FAULT_MILLISECONDS = 600_000;

/** The job: some of the proven sites whose day is over. */
export function createSiteChecks(deps: SiteDeps): () => Promise<void> {
  if (deps.config.mode === "test") return async () => {};
  /** When a site was heard of last: milliseconds since 1970. */
  let answeredAt = Number.NEGATIVE_INFINITY;
  return () =>
    checkDueSites(deps, (looks) => {
      if (looks.some(isSitesAnswer)) answeredAt = deps.now();
      return deps.now() - answeredAt <= CHECK_EVERY_MILLISECONDS;
    });
}

/** The name servers may be nearer than the sites are: that they know of no record says nothing of the way out. */
function isSitesAnswer({ method, found, answered }: Look): boolean {
  return found || (answered && method !== "dns");
}

/** @param isThere whether the provider is not cut off, after these looks at all sites that were due */
async function checkDueSites(deps: SiteDeps, isThere: (looks: readonly Look[]) => boolean): Promise<void> {
  const due = await takeDueSites(deps, deps.now() + CHECK_EVERY_MILLISECONDS, CHECKS_AT_ONCE);
  const looked = await Promise.allSettled(
    due.map(({ merchantId, origin }) => lookAtSite(deps, merchantId, origin)),
  );
  const hasWayOut = isThere(
    looked.flatMap((one) => (one.status === "fulfilled" ? (one.value?.looks ?? []) : [])),
  );
  const checks = await Promise.allSettled(
    looked.map(async (one) => {
      if (one.status === "rejected") throw one.reason;
      if (one.value && hasWayOut) await judgeSite(deps, one.value, GRACE_MILLISECONDS);
    }),
  );
  const failed = checks.flatMap((check, index) =>
    check.status === "rejected" ? [{ check, at: due[index] }] : [],
  );
  for (const { at } of failed)
    if (at) await putOffCheck(deps, at, deps.now() + AGAIN_AFTER_FAULT_MILLISECONDS);
  const [first] = failed;
  if (first) throw first.check.reason;
}
