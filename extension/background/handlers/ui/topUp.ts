import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import { openTab } from "../../../platform.ts";
import type { Background } from "../../compose.ts";

/** Makes a top-up at the provider, opens the gateway's checkout in a tab, and has that tab watched. */
export async function topUp(
  { wallet, topUps }: Background,
  request: UiRequestOf<"topUp">,
): Promise<UiResultJson<"topUp">> {
  const made = await wallet.topUp(request);
  await topUps.watch(await openTab(made.checkoutUrl));
  return made;
}
