/** The approval window: one question, told by `?id=`, or why there is none, by `?problem=`; draws what `state.ts` says and sends the answer. */
import { effect, signal } from "@preact/signals";
import { render } from "preact";
import { isErrorCode } from "../../../shared/errors.ts";
import type { UiRequestJson } from "../../../shared/protocol/ui.ts";
import { UiResults } from "../../../shared/protocol/ui.ts";
import { openTab } from "../../platform.ts";
import { isWebAddress } from "../shared/site.ts";
import { t } from "../shared/text.tsx";
import { ask, askFirmly, connectWallet } from "../shared/wallet.ts";
import {
  type Approved,
  type ApproveLocal,
  type ApproveScreen,
  approvalOf,
  LOCAL_AT_START,
  PAID_SHOWN_MS,
  screen,
} from "./state.ts";
import { type ApproveActions, ApproveView } from "./view.tsx";

const parameters = new URLSearchParams(location.search);
const approvalId = parameters.get("id") ?? "";
const problem = parameters.get("problem");
const { snapshot, silent, mode } = connectWallet();
const local = signal<ApproveLocal>(LOCAL_AT_START);

const change = (changed: Partial<ApproveLocal>): void => {
  local.value = { ...local.value, ...changed };
};
const current = (): ApproveScreen =>
  problem !== null && isErrorCode(problem)
    ? { is: "problem", code: problem }
    : screen(snapshot.value, silent.value, approvalId, local.value);

async function decide(sent: "approve" | "decline", chosen: Partial<Approved>): Promise<void> {
  if (local.value.sent !== null) return;
  change({ sent, error: null });
  const { amount, allowance, beyondMonth } = chosen;
  const request: UiRequestJson = {
    kind: "ui",
    type: "decide",
    approvalId,
    approve: sent === "approve",
    ...(amount === undefined ? {} : { amount: String(amount) }),
    ...(allowance === undefined ? {} : { allowance: String(allowance) }),
    ...(beyondMonth === undefined ? {} : { beyondMonth }),
  };
  const answer = await askFirmly(request, UiResults.decide);
  // A window that is closed is a "no" as well, so this "no" needs no answer.
  if (sent === "decline") window.close();
  else if ("error" in answer) change({ sent: null, error: answer.error });
}

const actions: ApproveActions = {
  approve: () => {
    const asking = current();
    const chosen = asking.is === "asking" ? approvalOf(asking) : undefined;
    if (chosen) void decide("approve", chosen);
  },
  decline: () => {
    const { is } = current();
    if (is === "asking" || is === "short") void decide("decline", {});
    else if (is !== "paying") window.close();
  },
  close: () => window.close(),
  chooseTip: (tip) => change({ tip, ownAmount: null, error: null }),
  typeTip: (ownAmount) => change({ ownAmount, error: null }),
  setDontAskAgain: (dontAskAgain) => change({ dontAskAgain }),
  setLimit: (limit) => change({ limit, dontAskAgain: true }),
  agreeBeyondMonth: (agreed) => change({ beyondMonth: agreed, error: null }),
  topUp: async (amount) => {
    change({ toppingUp: true, error: null });
    const answer = await ask({ kind: "ui", type: "topUp", amount: String(amount) }, UiResults.topUp);
    change({ toppingUp: false, error: "error" in answer ? answer.error : null });
  },
  openCheckout: (address) => {
    if (isWebAddress(address)) void openTab(address);
  },
};

let closing = false;
effect(() => {
  const { is } = current();
  if (is === "closed") window.close();
  if (is !== "paid" || closing) return;
  closing = true;
  setTimeout(() => window.close(), PAID_SHOWN_MS);
});

function Approve() {
  return (
    <ApproveView
      screen={current()}
      mode={mode.value}
      playMoney={snapshot.value?.provider.sandbox ?? false}
      actions={actions}
    />
  );
}

document.title = t("approve_title");
const root = document.getElementById("root");
if (root) render(<Approve />, root);
