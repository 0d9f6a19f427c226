/** The welcome page: makes the wallet, shows the phrase, and leads to the first top-up. */
import { signal } from "@preact/signals";
import { render } from "preact";
import type { GenericSchema, InferOutput } from "valibot";
import { type UiRequestJson, UiResults } from "../../../shared/protocol/ui.ts";
import { openTab } from "../../platform.ts";
import { isWebAddress } from "../shared/site.ts";
import { ask, connectWallet } from "../shared/wallet.ts";
import { creationOf, LOCAL_AT_START, screen, type WelcomeLocal } from "./state.ts";
import { type WelcomeActions, WelcomeView } from "./view.tsx";

const COPIED_SHOWN_MS = 2_000;

const { snapshot, silent } = connectWallet();
const local = signal<WelcomeLocal>(LOCAL_AT_START);

const change = (changed: Partial<WelcomeLocal>): void => {
  local.value = { ...local.value, ...changed };
};

async function act<S extends GenericSchema>(
  request: UiRequestJson,
  schema: S,
): Promise<InferOutput<S> | undefined> {
  if (local.value.busy) return undefined;
  change({ busy: true, error: null });
  const answer = await ask(request, schema);
  change({ busy: false, error: "error" in answer ? answer.error : null });
  return "ok" in answer ? answer.ok : undefined;
}

const actions: WelcomeActions = {
  setMode: (mode) => change({ mode, error: null }),
  typePhrase: (typedPhrase) => change({ typedPhrase, error: null }),
  setOthersAreGone: (othersAreGone) => change({ othersAreGone }),
  typeProvider: (typedProvider) => change({ typedProvider, error: null }),
  create: async () => {
    if (snapshot.value === undefined) return;
    const isRestored = local.value.mode === "restore";
    const made = await act(
      { kind: "ui", type: "createWallet", ...creationOf(snapshot.value, local.value) },
      UiResults.createWallet,
    );
    if (!made) return;
    change({ typedPhrase: "" });
    // Whoever typed the phrase has it.
    if (isRestored) await act({ kind: "ui", type: "confirmPhrase" }, UiResults.confirmPhrase);
    window.scrollTo({ top: 0 });
  },
  reveal: async () => {
    const shown = await act({ kind: "ui", type: "showPhrase" }, UiResults.showPhrase);
    if (shown) change({ phrase: shown.phrase });
  },
  hide: () => change({ phrase: null, copied: false }),
  copy: async () => {
    const { phrase } = local.value;
    if (phrase === null) return;
    await navigator.clipboard.writeText(phrase);
    change({ copied: true });
    setTimeout(() => change({ copied: false }), COPIED_SHOWN_MS);
  },
  setWrittenDown: (writtenDown) => change({ writtenDown }),
  confirm: async () => {
    if (await act({ kind: "ui", type: "confirmPhrase" }, UiResults.confirmPhrase)) change({ phrase: null });
  },
  later: () => change({ later: true, phrase: null, error: null }),
  backToPhrase: () => change({ later: false, error: null }),
  topUp: async (amount) => {
    const begun = await act({ kind: "ui", type: "topUp", amount: String(amount) }, UiResults.topUp);
    if (begun) change({ seenOpenTopUps: [...local.value.seenOpenTopUps, begun.topUpId] });
  },
  openCheckout: (address) => {
    if (isWebAddress(address)) void openTab(address);
  },
  close: () => window.close(),
};

function Welcome() {
  const current = snapshot.value;
  return (
    <WelcomeView
      screen={screen(current, silent.value, local.value)}
      provider={current?.provider.name ?? ""}
      playMoney={current?.provider.sandbox ?? false}
      actions={actions}
    />
  );
}

const root = document.getElementById("root");
if (root) render(<Welcome />, root);
