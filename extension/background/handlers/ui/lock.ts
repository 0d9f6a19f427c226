import type { UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Lock } from "../../lock.ts";

/** Closes the wallet until the passphrase is given again. */
export async function lock(keeper: Lock): Promise<UiResultJson<"lock">> {
  await keeper.lock();
  return {};
}
