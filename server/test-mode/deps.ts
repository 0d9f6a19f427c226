import type { SigningKey } from "../../shared/jws.ts";
import type { Counterpart } from "../config.ts";
import type { SiteDeps } from "../sites/index.ts";

export interface TestModeDeps extends SiteDeps {
  readonly secrets: SiteDeps["secrets"] & { readonly signingKey: SigningKey };
  readonly config: SiteDeps["config"] & { readonly origin: string };
}

/** Of a provider that has a counterpart. */
export interface PairedDeps extends TestModeDeps {
  readonly config: TestModeDeps["config"] & { readonly counterpart: Counterpart };
}
