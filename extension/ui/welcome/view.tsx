import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Micros } from "../../../shared/money.ts";
import { PHRASE_WORDS } from "../../../shared/protocol/ui.ts";
import { TopUpAmounts } from "../shared/amounts.tsx";
import { Announcer } from "../shared/announcer.tsx";
import { Button } from "../shared/button.tsx";
import { EmptyState } from "../shared/empty-state.tsx";
import { Icon } from "../shared/icon.tsx";
import { Mark } from "../shared/mark.tsx";
import { formatBalance, shortMoney } from "../shared/money.ts";
import { ErrorNotice, FrozenNotice, Notice, RestoringNotice } from "../shared/notice.tsx";
import { Passphrase } from "../shared/passphrase.tsx";
import { countText, t, tCount } from "../shared/text.tsx";
import { Unlock } from "../shared/unlock.tsx";
import { Waiting } from "../shared/waiting.tsx";
import { PinPicture } from "./pin-picture.tsx";
import type { AskedWord, CreateStep, PhraseStep, ReadyStep, WelcomeScreen } from "./state.ts";

export interface WelcomeActions {
  setMode(mode: "create" | "restore"): void;
  typePhrase(words: string): void;
  setOthersAreGone(gone: boolean): void;
  typeProvider(address: string): void;
  create(): void;
  reveal(): void;
  hide(): void;
  copy(): void;
  typePassphrase(passphrase: string): void;
  check(): void;
  typeWord(place: number, word: string): void;
  backToWords(): void;
  confirm(): void;
  later(): void;
  backToPhrase(): void;
  topUp(amount: Micros): void;
  openCheckout(address: string): void;
  close(): void;
}

const STEPS = ["create", "phrase", "ready"] as const;
const TITLES = {
  create: "welcome_create_title",
  phrase: "welcome_phrase_title",
  ready: "welcome_ready_title",
} as const;

export function WelcomeView(props: {
  readonly screen: WelcomeScreen;
  readonly provider: string;
  readonly playMoney: boolean;
  readonly actions: WelcomeActions;
}) {
  const { screen, provider, playMoney, actions } = props;
  if (screen.is === "connecting") return <Waiting class="welcome" title={t("welcome_title")} />;
  if (screen.is === "silent") {
    return (
      <div class="welcome">
        <EmptyState title={t("shared_silent_title")} isWholePage>
          {t("welcome_silent_text")}
        </EmptyState>
      </div>
    );
  }
  if (screen.is === "locked") {
    return (
      <div class="welcome">
        <Unlock />
      </div>
    );
  }
  return (
    <div class="welcome">
      <header class="intro">
        <div class="intro-mark">
          <Mark size={56} />
        </div>
        <h1>{t("welcome_intro_title")}</h1>
        <p class="intro-words">{t("welcome_intro_text")}</p>
        <p class="intro-badge">
          {playMoney ? (
            <>
              <span class="badge">{t("shared_play_money")}</span>{" "}
              <span class="small soft">{t("welcome_play_money_text", { provider })}</span>
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
  return t(
    screen.is === "create" && step === "create" && screen.mode === "restore"
      ? "welcome_restore_title"
      : TITLES[step],
  );
}

type StepState = "done" | "open" | "ahead" | "later";

function stepState(step: (typeof STEPS)[number], screen: CreateStep | PhraseStep | ReadyStep): StepState {
  const open = STEPS.indexOf(screen.is);
  const index = STEPS.indexOf(step);
  if (step === "phrase" && screen.is === "ready" && !screen.phraseConfirmed) return "later";
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
        {state === "done" ? <Icon name="check" size={18} /> : countText(number)}
      </span>
      <span class="unseen">{t("welcome_step", { number })} </span>
      {title}
      {state === "done" ? <span class="unseen"> {t("welcome_step_done")}</span> : null}
      {state === "later" ? <span class="step-later small">{t("welcome_step_later")}</span> : null}
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
          <label for="phrase">{t("welcome_restore_label")}</label>
          <textarea
            id="phrase"
            class="input phrase-input"
            dir="ltr"
            lang="en"
            rows={3}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            value={step.typedPhrase}
            aria-describedby="phrase-count phrase-promise"
            onInput={(event) => actions.typePhrase(event.currentTarget.value)}
          />
          <p id="phrase-count" class="input-note">
            {tCount("welcome_restore_count", wordCount, { total: PHRASE_WORDS })}
          </p>
          <p id="phrase-promise" class="soft">
            {t("welcome_restore_text")}
          </p>
          <div class="check">
            <input
              id="others-in-use"
              type="checkbox"
              checked={!step.othersAreGone}
              aria-describedby="others-note"
              onChange={(event) => actions.setOthersAreGone(!event.currentTarget.checked)}
            />
            <label for="others-in-use">{t("welcome_restore_in_use")}</label>
          </div>
          <p id="others-note" class="input-note">
            {t(step.othersAreGone ? "welcome_restore_gone_note" : "welcome_restore_in_use_note")}
          </p>
        </div>
      ) : (
        <p class="soft">{t("welcome_create_text")}</p>
      )}
      {step.error ? <ErrorNotice error={step.error} /> : null}
      <div class="actions">
        <Button type="submit" large busy={busy} disabled={!step.canGo}>
          {t(mode === "restore" ? "welcome_restore_action" : "welcome_create_action")}
        </Button>
        <Button look="quiet" onClick={() => actions.setMode(mode === "restore" ? "create" : "restore")}>
          {t(mode === "restore" ? "welcome_create_instead" : "welcome_restore_instead")}
        </Button>
      </div>
      <details class="advanced">
        <summary>{t("welcome_advanced")}</summary>
        <div class="field">
          <label for="provider">{t("welcome_provider")}</label>
          <input
            id="provider"
            class="input"
            dir="ltr"
            type="url"
            autocomplete="off"
            spellcheck={false}
            value={provider}
            aria-invalid={providerProblem !== null}
            aria-describedby="provider-note"
            onInput={(event) => actions.typeProvider(event.currentTarget.value)}
          />
          <p id="provider-note" class="input-note">
            {providerProblem ?? t("welcome_provider_note")}
          </p>
        </div>
      </details>
    </form>
  );
}

function Phrase({ step, actions }: { readonly step: PhraseStep; readonly actions: WelcomeActions }) {
  const { words, busy, check } = step;
  if (check !== null) return <PhraseCheck check={check} step={step} actions={actions} />;
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    if (words === null) actions.reveal();
    else actions.check();
  };
  return (
    <form class="stack" onSubmit={onSubmit}>
      <p class="soft">{t("welcome_phrase_text", { count: PHRASE_WORDS })}</p>
      {step.takesPassphrase ? (
        <Passphrase
          label={t("unlock_passphrase")}
          value={step.passphrase}
          isNew={false}
          onType={actions.typePassphrase}
        />
      ) : null}
      <div class="words-frame">
        <ol
          class="words"
          aria-label={t(words === null ? "welcome_phrase_list_hidden" : "welcome_phrase_list")}
          data-hidden={words === null ? "" : undefined}
        >
          {Array.from({ length: PHRASE_WORDS }, (_, index) => (
            <li key={index} class="word">
              <span class="word-number" aria-hidden="true">
                {countText(index + 1)}
              </span>
              <span class="word-text" lang="en" translate={false}>
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
              <Icon name="eye" /> {t("welcome_phrase_show")}
            </Button>
          </div>
        ) : null}
      </div>
      {words === null ? (
        <p class="words-note small soft">{t("welcome_phrase_alone")}</p>
      ) : (
        <div class="word-actions">
          <Button look="quiet" onClick={actions.copy}>
            <Icon name={step.copied ? "check" : "copy"} size={16} />{" "}
            {t(step.copied ? "welcome_phrase_copied" : "welcome_phrase_copy")}
          </Button>
          <Button look="quiet" onClick={actions.hide}>
            {t("shared_hide")}
          </Button>
          <span class="unseen" role="status">
            {step.copied ? t("welcome_phrase_copied_said") : ""}
          </span>
        </div>
      )}
      {step.error ? <ErrorNotice error={step.error} /> : null}
      <div class="actions">
        <Button type={words === null ? "button" : "submit"} large disabled={words === null}>
          {t("welcome_phrase_written")}
        </Button>
        <Button look="quiet" onClick={actions.later}>
          {t("welcome_phrase_later")}
        </Button>
      </div>
    </form>
  );
}

/** Asks for some of the words, so that nobody finds out too late that they were not written down. */
function PhraseCheck(props: {
  readonly check: readonly AskedWord[];
  readonly step: PhraseStep;
  readonly actions: WelcomeActions;
}) {
  const { check, step, actions } = props;
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const isComplete = check.every(({ typed }) => typed.trim() !== "");
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (isComplete && !step.busy) actions.confirm();
      }}
    >
      <p class="soft">{t("welcome_check_text")}</p>
      <div class="asked-words">
        {check.map(({ place, typed, isWrong }, index) => (
          <div class="field" key={place}>
            <label for={`word-${place}`}>{t("welcome_check_word", { number: place })}</label>
            <input
              ref={index === 0 ? first : null}
              id={`word-${place}`}
              class="input"
              dir="ltr"
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              maxLength={50}
              value={typed}
              aria-invalid={isWrong}
              aria-describedby={isWrong ? `word-${place}-note` : undefined}
              onInput={(event) => actions.typeWord(place, event.currentTarget.value)}
            />
            {isWrong ? (
              <p class="input-note small" id={`word-${place}-note`} role="alert">
                {t("welcome_check_wrong")}
              </p>
            ) : null}
          </div>
        ))}
      </div>
      {step.error ? <ErrorNotice error={step.error} /> : null}
      <div class="actions">
        <Button type="submit" large busy={step.busy} disabled={!isComplete}>
          {t("welcome_check_action")}
        </Button>
        <Button look="quiet" onClick={actions.backToWords}>
          {t("welcome_check_back")}
        </Button>
      </div>
    </form>
  );
}

function Ready({ step, actions }: { readonly step: ReadyStep; readonly actions: WelcomeActions }) {
  const balance = formatBalance(step.balance, step.currency);
  return (
    <div class="stack">
      <Announcer words={t("shared_said_balance", { amount: balance })} />
      <div class="pin">
        <PinPicture />
        <div class="pin-words">
          <h3>{t("welcome_pin_title")}</h3>
          <p class="soft">{t("welcome_pin_text")}</p>
        </div>
      </div>
      <div class="stack fill">
        <div class="fill-head">
          <h3>{t("shared_top_up")}</h3>
          <p>
            <span class="soft">{t("shared_balance")}</span> <strong class="money">{balance}</strong>
          </p>
        </div>
        <Fill step={step} actions={actions} />
      </div>
      {step.phraseConfirmed ? null : (
        <Notice
          tone="warn"
          icon="key"
          title={t("welcome_unwritten_title")}
          actions={
            <Button look="quiet" onClick={actions.backToPhrase}>
              {t("welcome_unwritten_action")}
            </Button>
          }
        >
          {t("shared_phrase_warning")}
        </Notice>
      )}
      <div class="actions">
        <Button look={step.topUp?.state === "paid" ? "main" : "plain"} large onClick={actions.close}>
          {t("welcome_done")}
        </Button>
        <span class="small soft">{t("welcome_done_note")}</span>
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
        <TopUpAmounts offer={step.topUps} disabled={step.busy} onChoose={actions.topUp} />
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
  if (topUp === null) return <p class="soft">{t("shared_top_up_text")}</p>;
  const amount = shortMoney(topUp.amount, currency);
  switch (topUp.state) {
    case "open":
      return (
        <Notice
          icon="busy"
          title={t("shared_top_up_open_title")}
          actions={
            <Button look="quiet" onClick={() => actions.openCheckout(topUp.checkoutUrl)}>
              {t("shared_top_up_open_again")}
            </Button>
          }
        >
          {t("shared_top_up_open_text", { amount })}
        </Notice>
      );
    case "paid":
      return (
        <Notice icon="check" title={t("shared_top_up_arrived", { amount })}>
          {t("welcome_paid_text")}
        </Notice>
      );
    case "declined":
      return (
        <Notice tone="warn" icon="alert" title={t("shared_top_up_declined_title", { amount })}>
          {t("shared_top_up_declined_text")}
        </Notice>
      );
    case "abandoned":
      return (
        <Notice tone="warn" icon="clock" title={t("shared_top_up_abandoned_title", { amount })}>
          {t("shared_top_up_abandoned_text")}
        </Notice>
      );
    case "charged_back":
      return null;
  }
}
