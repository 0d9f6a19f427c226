/** A provider in a process of its own with the tap in front of it, for readers in real browsers, and the attack on what it recorded. */
import { join } from "node:path";
import { freePort } from "../support/free-port.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";
import { type Evidence, readEvidence } from "./evidence.ts";
import { openTap, readRows } from "./record.ts";
import { STRATEGIES } from "./strategies.ts";

export interface TappedProvider extends RunningProvider {
  /** What arrived since the last look, read as the provider can. */
  look(published: readonly string[]): Evidence;
}

export async function startTappedProvider(): Promise<TappedProvider> {
  const port = await freePort();
  const tap = await openTap(port, Date.now);
  const { origin, accountsOrigin } = tap;
  const provider = await startProvider({
    port,
    environment: {
      ...SANDBOX_ENVIRONMENT,
      TUPPENCE_ORIGIN: origin,
      TUPPENCE_ACCOUNTS_ORIGIN: accountsOrigin,
    },
  });
  return {
    ...provider,
    origin,
    accountsOrigin,
    look: (published) =>
      readEvidence({
        exchanges: tap.take(),
        rows: readRows(join(provider.dataFolder, "tuppence.sqlite")),
        published,
        opened: new Map(),
      }),
    async close() {
      await tap.close();
      await provider.close();
    },
  };
}

/**
 * By what it is told: whose each payment can be proved to be, in the order in which they were made; the number is of the
 * account, in the order in which these were opened, null where nothing is proved. Two readers are too few to judge by chance.
 */
export function proofsIn(evidence: Evidence): Record<string, (number | null)[]> {
  const ids = evidence.accounts.map(({ id }) => id);
  const found = STRATEGIES.filter(({ proves }) => proves).map(({ name, assign }) => {
    const assigned = assign(evidence);
    return [
      name,
      evidence.payments.map((payment) => {
        const id = assigned.get(payment.id);
        return id === undefined ? null : ids.indexOf(id);
      }),
    ] as const;
  });
  return Object.fromEntries(found.filter(([, owners]) => owners.some((owner) => owner !== null)));
}
