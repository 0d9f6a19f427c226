import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Lock } from "../../lock.ts";

/** Opens the wallet with its passphrase. */
export async function unlock(lock: Lock, request: UiRequestOf<"unlock">): Promise<UiResultJson<"unlock">> {
  await lock.unlock(request.passphrase);
  return {};
}
