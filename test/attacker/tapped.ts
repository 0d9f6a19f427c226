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

/** By what it is told: payments that can be proved to be an account's. Two readers are too few to judge anything by chance. */
export function proofsIn(evidence: Evidence): Record<string, number> {
  const found = STRATEGIES.filter(({ proves }) => proves).map(
    ({ name, assign }) => [name, assign(evidence).size] as const,
  );
  return Object.fromEntries(found.filter(([, count]) => count > 0));
}
