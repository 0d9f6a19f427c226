import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Lock } from "../../lock.ts";

/** Changes what keeps the wallet: a passphrase, another one, or this device alone. */
export async function protect(lock: Lock, request: UiRequestOf<"protect">): Promise<UiResultJson<"protect">> {
  await lock.protect(request);
  return {};
}
