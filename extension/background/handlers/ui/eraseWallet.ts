import type { UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Lock } from "../../lock.ts";

/** Removes the wallet from this browser. What it held comes back from the recovery phrase, here or elsewhere. */
export async function eraseWallet(lock: Lock): Promise<UiResultJson<"eraseWallet">> {
  await lock.erase();
  return {};
}
