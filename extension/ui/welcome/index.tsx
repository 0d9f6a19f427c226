/** The welcome page: makes the wallet, shows the phrase, and leads to the first top-up. */
import { signal } from "@preact/signals";
import { render } from "preact";
import type { GenericSchema, InferOutput } from "valibot";
import { type UiRequestJson, UiResults } from "../../../shared/protocol/ui.ts";
import { openTab } from "../../platform.ts";
import { isWebAddress } from "../shared/site.ts";
import { TestMode } from "../shared/test-mode.tsx";
import { t } from "../shared/text.tsx";
import { ask, connectWallet } from "../shared/wallet.ts";
import { choosePlaces, creationOf, LOCAL_AT_START, screen, type WelcomeLocal } from "./state.ts";
import { type WelcomeActions, WelcomeView } from "./view.tsx";

const COPIED_SHOWN_MS = 2_000;

const { snapshot, silent, mode } = connectWallet();
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
    const made = await act(
      { kind: "ui", type: "createWallet", ...creationOf(snapshot.value, local.value) },
      UiResults.createWallet,
    );
    if (!made) return;
    change({ typedPhrase: "" });
    window.scrollTo({ top: 0 });
  },
  reveal: async () => {
    const { passphrase } = local.value;
    const shown = await act(
      { kind: "ui", type: "showPhrase", ...(passphrase === "" ? {} : { passphrase }) },
      UiResults.showPhrase,
    );
    change(shown ? { phrase: shown.phrase, passphrase: "" } : { passphrase: "" });
  },
  typePassphrase: (passphrase) => change({ passphrase, error: null }),
  hide: () => change({ phrase: null, copied: false }),
  copy: async () => {
    const { phrase } = local.value;
    if (phrase === null) return;
    await navigator.clipboard.writeText(phrase);
    change({ copied: true });
    setTimeout(() => change({ copied: false }), COPIED_SHOWN_MS);
  },
  check: () =>
    change({ asked: choosePlaces(randomNumber), typedWords: {}, wrong: [], phrase: null, error: null }),
  typeWord: (place, word) =>
    change({
      typedWords: { ...local.value.typedWords, [place]: word },
      wrong: local.value.wrong.filter((other) => other !== place),
    }),
  backToWords: () => change({ asked: null, wrong: [], error: null }),
  confirm: async () => {
    const { asked, typedWords } = local.value;
    if (asked === null) return;
    const words = asked.map((place) => ({ place, word: typedWords[place] ?? "" }));
    const checked = await act({ kind: "ui", type: "confirmPhrase", words }, UiResults.confirmPhrase);
    if (checked) change({ wrong: checked.wrong });
  },
  later: () => {
    void ask({ kind: "ui", type: "putOffPhrase" }, UiResults.putOffPhrase);
    change({ later: true, phrase: null, asked: null, error: null });
  },
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

/** Not for a secret: for a reader who would learn which words are asked for. */
function randomNumber(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
}

function Welcome() {
  const current = snapshot.value;
  return (
    <>
      <TestMode mode={mode.value} />
      <WelcomeView
        screen={screen(current, silent.value, local.value)}
        provider={current?.provider.name ?? ""}
        playMoney={current?.provider.sandbox ?? false}
        actions={actions}
      />
    </>
  );
}

document.title = t("welcome_title");
const root = document.getElementById("root");
if (root) render(<Welcome />, root);
