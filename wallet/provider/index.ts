/** The typed client of the provider's HTTP API. */
import type { Clock, ProviderPort } from "../core/ports.ts";

export interface ProviderClientOptions {
  /** The configured anonymous origin: the only address that is taken on trust. */
  readonly anonymousOrigin: string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
}

export function createProviderClient(options: ProviderClientOptions): ProviderPort {
  throw new Error(`under construction: ${options.anonymousOrigin}`);
}
