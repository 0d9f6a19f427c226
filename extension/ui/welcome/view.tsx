import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { formatBalance, type Micros } from "../../../shared/money.ts";
import { shortMoney, TopUpAmounts } from "../shared/amounts.tsx";
import { Announcer } from "../shared/announcer.tsx";
import { Button } from "../shared/button.tsx";
import { EmptyState } from "../shared/empty-state.tsx";
import { Icon } from "../shared/icon.tsx";
import { Mark } from "../shared/mark.tsx";
import { ErrorNotice, FrozenNotice, Notice, RestoringNotice } from "../shared/notice.tsx";
import { PinPicture } from "./pin-picture.tsx";
import {
  type CreateStep,
  PHRASE_WORDS,
  type PhraseStep,
  type ReadyStep,
  type WelcomeScreen,
} from "./state.ts";

export interface WelcomeActions {
  setMode(mode: "create" | "restore"): void;
  typePhrase(words: string): void;
  setOthersAreGone(gone: boolean): void;
  typeProvider(address: string): void;
  create(): void;
  reveal(): void;
  hide(): void;
  copy(): void;
  setWrittenDown(writtenDown: boolean): void;
  confirm(): void;
  later(): void;
  backToPhrase(): void;
  topUp(amount: Micros): void;
  openCheckout(address: string): void;
  close(): void;
}

const STEPS = ["create", "phrase", "ready"] as const;
const TITLES = {
  create: "Make your wallet",
  phrase: "Write down the recovery phrase",
  ready: "Put it to use",
} as const;

export function WelcomeView(props: {
  readonly screen: WelcomeScreen;
  readonly provider: string;
  readonly playMoney: boolean;
  readonly actions: WelcomeActions;
}) {
  const { screen, provider, playMoney, actions } = props;
  if (screen.is === "connecting") return <div class="welcome" aria-busy="true" />;
  if (screen.is === "silent") {
    return (
      <div class="welcome">
        <EmptyState title="The wallet is not answering" isWholePage>
          Nothing was changed. This page keeps trying; if that lasts, restart the browser.
        </EmptyState>
      </div>
    );
  }
  return (
    <div class="welcome">
      <header class="intro">
        <div class="intro-mark">
          <Mark size={56} />
        </div>
        <h1>A few cents, one click</h1>
        <p class="intro-words">
          Tuppence is a prepaid wallet that pays websites a few cents at a time. Fill it once, and an article
          opens with a click: no account at the site, no card form, and never more than you allow. Its coins
          are blind-signed, so not even the provider that issues them can tell from a payment who made it.
        </p>
        <p class="intro-badge">
          {playMoney ? (
            <>
              <span class="badge">Play money</span>{" "}
              <span class="small soft">{provider} is for trying things out: no real money moves.</span>
            </>
          ) : null}
        </p>
      </header>
      <ol class="steps">
        {STEPS.map((step, index) => {
          const state = stepState(step, screen);
          return (
            <li
              key={step}
              class="card step"
              data-state={state}
              aria-current={state === "open" ? "step" : undefined}
            >
              <StepTitle
                number={index + 1}
                title={titleOf(step, screen)}
                state={state}
                takesFocus={state === "open" && index > 0}
              />
              {state === "open" ? <div class="step-body rise">{body(screen, actions)}</div> : null}
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function titleOf(step: (typeof STEPS)[number], screen: CreateStep | PhraseStep | ReadyStep): string {
  return screen.is === "create" && step === "create" && screen.mode === "restore"
    ? "Bring your wallet back"
    : TITLES[step];
}

type StepState = "done" | "open" | "ahead" | "put off";

function stepState(step: (typeof STEPS)[number], screen: CreateStep | PhraseStep | ReadyStep): StepState {
  const open = STEPS.indexOf(screen.is);
  const index = STEPS.indexOf(step);
  if (step === "phrase" && screen.is === "ready" && !screen.phraseConfirmed) return "put off";
  return index < open ? "done" : index > open ? "ahead" : "open";
}

function body(screen: CreateStep | PhraseStep | ReadyStep, actions: WelcomeActions) {
  switch (screen.is) {
    case "create":
      return <Create step={screen} actions={actions} />;
    case "phrase":
      return <Phrase step={screen} actions={actions} />;
    case "ready":
      return <Ready step={screen} actions={actions} />;
  }
}

/** A step that opens takes the focus, so that keyboard and screen reader go along. */
function StepTitle(props: {
  readonly number: number;
  readonly title: string;
  readonly state: StepState;
  readonly takesFocus: boolean;
}) {
  const { number, title, state, takesFocus } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (takesFocus) heading.current?.focus({ preventScroll: true });
  }, [takesFocus]);
  return (
    <h2 class="step-title" ref={heading} tabIndex={-1}>
      <span class="step-number" aria-hidden="true">
        {state === "done" ? <Icon name="check" size={18} /> : number}
      </span>
      <span class="unseen">Step {number}: </span>
      {title}
      {state === "done" ? <span class="unseen"> (done)</span> : null}
      {state === "put off" ? <span class="step-later small">later</span> : null}
    </h2>
  );
}

function Create({ step, actions }: { readonly step: CreateStep; readonly actions: WelcomeActions }) {
  const { mode, provider, providerProblem, wordCount, busy } = step;
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    if (step.canGo && !busy) actions.create();
  };
  return (
    <form class="stack" onSubmit={onSubmit} noValidate>
      {mode === "restore" ? (
        <div class="field">
          <label for="phrase">Your recovery phrase</label>
          <textarea
            id="phrase"
            class="input phrase-input"
            rows={3}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            value={step.typedPhrase}
            aria-describedby="phrase-count phrase-promise"
            onInput={(event) => actions.typePhrase(event.currentTarget.value)}
          />
          <p id="phrase-count" class="input-note">
            {wordCount} of {PHRASE_WORDS} words
          </p>
          <p id="phrase-promise" class="soft">
            This brings back your balance, your coins, what you bought, and your allowances.
          </p>
          <div class="check">
            <input
              id="others-in-use"
              type="checkbox"
              checked={!step.othersAreGone}
              aria-describedby="others-note"
              onChange={(event) => actions.setOthersAreGone(!event.currentTarget.checked)}
            />
            <label for="others-in-use">I go on paying in another browser, too</label>
          </div>
          <p id="others-note" class="input-note">
            {step.othersAreGone
              ? "The coins of your other browsers come here."
              : "Both share your account and what you bought. The coins that the other browser holds stay there, and so do its allowances."}
          </p>
        </div>
      ) : (
        <p class="soft">It lives in this browser. No name, no e-mail address, no password.</p>
      )}
      {step.error ? <ErrorNotice error={step.error} /> : null}
      <div class="actions">
        <Button type="submit" large busy={busy} disabled={!step.canGo}>
          {mode === "restore" ? "Restore my wallet" : "Create my wallet"}
        </Button>
        <Button look="quiet" onClick={() => actions.setMode(mode === "restore" ? "create" : "restore")}>
          {mode === "restore" ? "Make a new wallet instead" : "I have a recovery phrase"}
        </Button>
      </div>
      <details class="advanced">
        <summary>Advanced</summary>
        <div class="field">
          <label for="provider">Provider</label>
          <input
            id="provider"
            class="input"
            type="url"
            autocomplete="off"
            spellcheck={false}
            value={provider}
            aria-invalid={providerProblem !== null}
            aria-describedby="provider-note"
            onInput={(event) => actions.typeProvider(event.currentTarget.value)}
          />
          <p id="provider-note" class="input-note">
            {providerProblem ??
              "Who keeps your balance and issues your coins. The wallet connects to nobody else."}
          </p>
        </div>
      </details>
    </form>
  );
}

function Phrase({ step, actions }: { readonly step: PhraseStep; readonly actions: WelcomeActions }) {
  const { words, busy } = step;
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    if (step.writtenDown && !busy) actions.confirm();
  };
  return (
    <form class="stack" onSubmit={onSubmit}>
      <p class="soft">
        Whoever has these {PHRASE_WORDS} words has your wallet, and you need them if this computer is lost.
        Write them on paper, in this order.
      </p>
      <div class="words-frame">
        <ol
          class="words"
          aria-label={words === null ? "Recovery phrase, hidden" : "Recovery phrase"}
          data-hidden={words === null ? "" : undefined}
        >
          {Array.from({ length: PHRASE_WORDS }, (_, index) => (
            <li key={index} class="word">
              <span class="word-number" aria-hidden="true">
                {index + 1}
              </span>
              <span class="word-text">
                {words?.[index] ?? (
                  <span class="unseen" aria-hidden="true">
                    ••••••
                  </span>
                )}
              </span>
            </li>
          ))}
        </ol>
        {words === null ? (
          <div class="words-cover">
            <Button look="main" busy={busy} onClick={actions.reveal}>
              <Icon name="eye" /> Show the words
            </Button>
          </div>
        ) : null}
      </div>
      {words === null ? (
        <p class="words-note small soft">Best when nobody looks over your shoulder.</p>
      ) : (
        <div class="word-actions">
          <Button look="quiet" onClick={actions.copy}>
            <Icon name={step.copied ? "check" : "copy"} size={16} /> {step.copied ? "Copied" : "Copy"}
          </Button>
          <Button look="quiet" onClick={actions.hide}>
            Hide
          </Button>
          <span class="unseen" role="status">
            {step.copied ? "The phrase is in the clipboard." : ""}
          </span>
        </div>
      )}
      {step.error ? <ErrorNotice error={step.error} /> : null}
      <div class="check">
        <input
          id="written-down"
          type="checkbox"
          checked={step.writtenDown}
          onChange={(event) => actions.setWrittenDown(event.currentTarget.checked)}
        />
        <label for="written-down">I have written it down</label>
      </div>
      <div class="actions">
        <Button type="submit" large busy={busy && words !== null} disabled={!step.writtenDown}>
          Go on
        </Button>
        <Button look="quiet" onClick={actions.later}>
          Do this later
        </Button>
      </div>
    </form>
  );
}

function Ready({ step, actions }: { readonly step: ReadyStep; readonly actions: WelcomeActions }) {
  const balance = formatBalance(step.balance, step.currency);
  return (
    <div class="stack">
      <Announcer words={`Balance ${balance}`} />
      <div class="pin">
        <PinPicture />
        <div class="pin-words">
          <h3>Keep it in sight</h3>
          <p class="soft">Click the puzzle piece in the toolbar, then the pin beside Tuppence.</p>
        </div>
      </div>
      <div class="stack fill">
        <div class="fill-head">
          <h3>Top up</h3>
          <p>
            <span class="soft">Balance</span> <strong class="money">{balance}</strong>
          </p>
        </div>
        <Fill step={step} actions={actions} />
      </div>
      {step.phraseConfirmed ? null : (
        <Notice
          tone="warn"
          icon="key"
          title="The recovery phrase is not written down yet"
          actions={
            <Button look="quiet" onClick={actions.backToPhrase}>
              Show it now
            </Button>
          }
        >
          Without it, a lost computer is lost money.
        </Notice>
      )}
      <div class="actions">
        <Button look={step.topUp?.state === "paid" ? "main" : "plain"} large onClick={actions.close}>
          Done
        </Button>
        <span class="small soft">The wallet is in the toolbar from now on.</span>
      </div>
    </div>
  );
}

function Fill({ step, actions }: { readonly step: ReadyStep; readonly actions: WelcomeActions }) {
  if (step.frozen) return <FrozenNotice />;
  if (step.restoring) return <RestoringNotice restore={step.restore} />;
  return (
    <>
      {step.error ? <ErrorNotice error={step.error} /> : null}
      <TopUpNews step={step} actions={actions} />
      {step.topUp?.state === "open" ? null : (
        <TopUpAmounts
          amounts={step.topUpAmounts}
          currency={step.currency}
          disabled={step.busy}
          onChoose={actions.topUp}
        />
      )}
    </>
  );
}

function TopUpNews({
  step,
  actions,
}: {
  readonly step: ReadyStep;
  readonly actions: WelcomeActions;
}): ComponentChildren {
  const { topUp, currency } = step;
  if (topUp === null)
    return (
      <p class="soft">
        Pay once, on your provider’s page. Sites are then paid from it, a few cents at a time.
      </p>
    );
  const amount = shortMoney(topUp.amount, currency);
  switch (topUp.state) {
    case "open":
      return (
        <Notice
          icon="busy"
          title="Waiting for the payment page…"
          actions={
            <Button look="quiet" onClick={() => actions.openCheckout(topUp.checkoutUrl)}>
              Open it again
            </Button>
          }
        >
          {amount} will be here as soon as you confirm it there.
        </Notice>
      );
    case "paid":
      return (
        <Notice icon="check" title={`${amount} arrived`}>
          Everything is ready. Look for “Read on” on an article.
        </Notice>
      );
    case "declined":
      return (
        <Notice tone="warn" icon="alert" title={`Your ${amount} top-up was declined`}>
          Nothing was charged. Another card may work.
        </Notice>
      );
    case "abandoned":
      return (
        <Notice tone="warn" icon="clock" title={`Your ${amount} top-up was not finished`}>
          The payment page was left. Nothing was charged.
        </Notice>
      );
    case "charged_back":
      return null;
  }
}
