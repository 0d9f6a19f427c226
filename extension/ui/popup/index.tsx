/** The popup: connects to the background, keeps what the reader does here, and draws what `state.ts` says. */
import { signal } from "@preact/signals";
import { render } from "preact";
import { type GenericSchema, type InferOutput, safeParse } from "valibot";
import type { Micros } from "../../../shared/money.ts";
import {
  LAST_BALANCE,
  LastBalance,
  OPTIONS_PAGE,
  sessionName,
  type TopUpView,
  type UiRequestJson,
  UiResults,
  WELCOME_PAGE,
} from "../../../shared/protocol/ui.ts";
import { extensionUrl, openTab, readSession } from "../../platform.ts";
import { readLastBalance } from "../../store/last-balance.ts";
import { writeRoute } from "../shared/route.ts";
import { isWebAddress } from "../shared/site.ts";
import { TestMode } from "../shared/test-mode.tsx";
import { t } from "../shared/text.tsx";
import { ask, connectWallet, testProvider } from "../shared/wallet.ts";
import { LOCAL_AT_START, type PopupLocal, screen } from "./state.ts";
import { type PopupActions, PopupView } from "./view.tsx";

const TICK_MS = 1_000;

const { snapshot, silent, mode } = connectWallet();
const local = signal<PopupLocal>(LOCAL_AT_START);
const now = signal(Date.now());

const change = (changed: Partial<PopupLocal>): void => {
  local.value = { ...local.value, ...changed };
};

/** Asks with `key` marked as busy, and shows the error if there is one. */
async function act<S extends GenericSchema>(
  key: string,
  request: UiRequestJson,
  schema: S,
): Promise<InferOutput<S> | undefined> {
  if (local.value.busy.includes(key)) return undefined;
  change({ busy: [...local.value.busy, key], error: null });
  const answer = await ask(request, schema);
  change({ busy: local.value.busy.filter((busy) => busy !== key) });
  if ("ok" in answer) return answer.ok;
  change({ error: answer.error });
  return undefined;
}

const actions: PopupActions = {
  show: (page) => change({ page, cameBack: page === "home", error: null }),
  showAll: () => change({ showAll: true }),
  dismissError: () => change({ error: null }),
  dismissTopUp: (id) => change({ dismissedTopUps: [...local.value.dismissedTopUps, id] }),
  topUp: (amount: Micros) =>
    void act("topUp", { kind: "ui", type: "topUp", amount: String(amount) }, UiResults.topUp).then(
      (begun) => {
        if (begun) change({ page: "home", seenOpenTopUps: [...local.value.seenOpenTopUps, begun.topUpId] });
      },
    ),
  openCheckout: ({ checkoutUrl }: TopUpView) => {
    if (isWebAddress(checkoutUrl)) void openTab(checkoutUrl).then(() => window.close());
  },
  tip: () =>
    void act("tip", { kind: "ui", type: "startTip" }, UiResults.startTip).then(
      (begun) => begun && window.close(),
    ),
  refund: (paymentId) => void act(paymentId, { kind: "ui", type: "refund", paymentId }, UiResults.refund),
  removeAllowance: (origin) =>
    void act(origin, { kind: "ui", type: "removeAllowance", origin }, UiResults.removeAllowance),
  decline: (approvalId) =>
    void act(approvalId, { kind: "ui", type: "decide", approvalId, approve: false }, UiResults.decide),
  answer: (approvalId) =>
    void act(approvalId, { kind: "ui", type: "showQuestion", approvalId }, UiResults.showQuestion).then(
      (shown) => shown && window.close(),
    ),
  putOffPhrase: () => void act("phrase", { kind: "ui", type: "putOffPhrase" }, UiResults.putOffPhrase),
  lock: () => void act("lock", { kind: "ui", type: "lock" }, UiResults.lock),
  setPaused: (paused) => void act("pause", { kind: "ui", type: "setPaused", paused }, UiResults.setPaused),
  openOptions: (section, path = []) =>
    void openTab(extensionUrl(`${OPTIONS_PAGE}${writeRoute(section, path)}`)).then(() => window.close()),
  openWelcome: () => void openTab(extensionUrl(WELCOME_PAGE)).then(() => window.close()),
};

snapshot.subscribe((current) => {
  const open =
    current?.topUps.filter(
      ({ id, state }) => state === "open" && !local.peek().seenOpenTopUps.includes(id),
    ) ?? [];
  if (open.length > 0)
    change({ seenOpenTopUps: [...local.peek().seenOpenTopUps, ...open.map(({ id }) => id)] });
});

void ask({ kind: "ui", type: "tipSite" }, UiResults.tipSite).then((answer) => {
  if ("ok" in answer) change({ tipSite: answer.ok.site, tipProblem: answer.ok.problem });
});
setInterval(() => {
  now.value = Date.now();
}, TICK_MS);

const last = signal<LastBalance | undefined>(undefined);
// Sooner than the background answers, which may have to start first. The session's memory is the quicker of the two places.
void testProvider
  .then(readLastBalance)
  .then((kept) => {
    if (kept) last.value = kept;
  })
  .catch(() => undefined);
// That of the reader's own wallet is asked for at once, because nearly always it is that one.
void Promise.all([testProvider, readSession(LAST_BALANCE)])
  .then(([provider, own]) =>
    provider === undefined ? own : readSession(sessionName(provider, LAST_BALANCE)),
  )
  .then((stored) => {
    const kept = safeParse(LastBalance, stored);
    if (kept.success) last.value = kept.output;
  })
  .catch(() => undefined);

function Popup() {
  const shown = screen(snapshot.value, silent.value, local.value, now.value, last.value);
  return (
    <>
      <TestMode mode={mode.value} />
      <PopupView screen={shown} actions={actions} />
    </>
  );
}

document.title = t("popup_title");
const root = document.getElementById("root");
if (root) render(<Popup />, root);
