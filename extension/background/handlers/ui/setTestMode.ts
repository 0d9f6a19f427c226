import type { UiRequestOf, UiResultJson } from "../../../../shared/protocol/ui.ts";
import type { Background } from "../../compose.ts";

/** Changes to the wallet of test mode, or back to the reader's own. */
export async function setTestMode(
  background: Pick<Background, "setTestMode">,
  { on }: UiRequestOf<"setTestMode">,
): Promise<UiResultJson<"setTestMode">> {
  await background.setTestMode(on);
  return {};
}
