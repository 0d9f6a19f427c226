import type { Bytes } from "../../shared/bytes.ts";
import type { AccountDeps } from "../accounts/index.ts";
import type { Secrets } from "../secrets.ts";
import type { MintWithKeys } from "./open.ts";

/** What the mint's routes need. The composition root hands it in. */
export interface MintDeps extends AccountDeps {
  readonly mint: MintWithKeys;
  readonly random: (length: number) => Bytes;
  readonly secrets: Pick<Secrets, "mintMaster" | "quoteSecret">;
}
