/** What a section of the options page is drawn from. */
import type { WalletSnapshot } from "../../../shared/protocol/ui.ts";
import type { Route } from "./route.ts";

export interface SectionProps {
  /** Of a wallet that is set up. A new one comes after every change. */
  readonly snapshot: WalletSnapshot;
  readonly route: Route;
  /** Milliseconds since 1970; goes on by itself. */
  readonly now: number;
}
