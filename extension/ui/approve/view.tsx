import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Micros } from "../../../shared/money.ts";
import type { BudgetView } from "../../../shared/protocol/ui.ts";
import { AmountText } from "../shared/amount-text.tsx";
import { TopUpAmounts } from "../shared/amounts.tsx";
import { Announcer } from "../shared/announcer.tsx";
import { Brand } from "../shared/brand.tsx";
import { Button } from "../shared/button.tsx";
import { EmptyState } from "../shared/empty-state.tsx";
import { errorText } from "../shared/error-text.ts";
import { Icon } from "../shared/icon.tsx";
import { MerchantWords } from "../shared/merchant-words.tsx";
import { formatBalance, formatMoney, shortMoney } from "../shared/money.ts";
import { ErrorNotice, FrozenNotice, Notice } from "../shared/notice.tsx";
import { PrivacyMeter } from "../shared/privacy-meter.tsx";
import { TestMode } from "../shared/test-mode.tsx";
import { type TextKey, t } from "../shared/text.tsx";
import { Unlock } from "../shared/unlock.tsx";
import { Waiting } from "../shared/waiting.tsx";
import type { Mode } from "../shared/wallet.ts";
import { GUARD_SHUT, guardAfterKey, guardFrom, keyApproves } from "./guard.ts";
import {
  type AllowanceChoice,
  type ApproveScreen,
  type AskingScreen,
  approvalOf,
  type BeyondMonth,
  type Left,
  type Question,
  type ShortScreen,
  type TipChoice,
} from "./state.ts";

export interface ApproveActions {
  approve(): void;
  decline(): void;
  close(): void;
  chooseTip(amount: Micros): void;
  typeTip(words: string): void;
  setDontAskAgain(dontAskAgain: boolean): void;
  setLimit(limit: Micros): void;
  agreeBeyondMonth(agreed: boolean): void;
  topUp(amount: Micros): void;
  openCheckout(address: string): void;
}

export function ApproveView(props: {
  readonly screen: ApproveScreen;
  readonly mode: Mode;
  readonly playMoney: boolean;
  readonly actions: ApproveActions;
}) {
  const { screen, mode, playMoney, actions } = props;
  return (
    <div class="window">
      <div class="window-head">
        <TestMode mode={mode} canLeave={false} />
        <Brand playMoney={playMoney} />
      </div>
      <Announcer words={announcement(screen)} />
      <Content screen={screen} actions={actions} />
    </div>
  );
}

function Content({ screen, actions }: { readonly screen: ApproveScreen; readonly actions: ApproveActions }) {
  switch (screen.is) {
    case "connecting":
    case "closed":
      return <Waiting class="content" title={t("approve_title")} />;
    case "silent":
      return (
        <Over title={t("shared_silent_title")} actions={actions}>
          {t("approve_silent_text")}
        </Over>
      );
    case "locked":
      return (
        <div class="content">
          <Unlock />
        </div>
      );
    case "problem": {
      const [happened, rest] = errorText(screen.code);
      return (
        <Over title={happened} actions={actions}>
          {rest}
        </Over>
      );
    }
    case "gone":
      return (
        <Over title={t("approve_gone_title")} actions={actions}>
          {t("approve_gone_text")}
        </Over>
      );
    case "asking":
      return <Asking screen={screen} actions={actions} />;
    case "short":
      return <Short screen={screen} actions={actions} />;
    case "paying":
      return (
        <Progress
          title={t("approve_paying", { amount: formatMoney(screen.amount, screen.currency) })}
          question={screen}
        >
          <span class="ring progress-ring" />
        </Progress>
      );
    case "paid":
      return (
        <Progress
          title={t("approve_paid", { amount: formatMoney(screen.amount, screen.currency) })}
          question={screen}
        >
          <span class="progress-done">
            <Icon name="check" size={32} />
          </span>
        </Progress>
      );
    case "failed":
      return (
        <>
          <div class="content">
            <Merchant
              question={screen}
              lead={t(screen.kind === "tip" ? "approve_no_tip_to" : "approve_not_paid_to")}
              isVerified={false}
            />
            {screen.error ? (
              <ErrorNotice error={screen.error} />
            ) : (
              <Notice tone="danger" icon="alert" title={t("approve_failed_title")} />
            )}
          </div>
          <footer class="answers">
            <Button look="plain" wide large onClick={actions.close}>
              {t("shared_close")}
            </Button>
          </footer>
        </>
      );
  }
}

function Asking({ screen, actions }: { readonly screen: AskingScreen; readonly actions: ApproveActions }) {
  const isOpen = useGuard(actions);
  const { amount, currency, beyond } = screen;
  const mayApprove = approvalOf(screen) !== undefined;
  const isTip = screen.kind === "tip";
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    if (isOpen) actions.approve();
  };
  return (
    <form class="frame" onSubmit={onSubmit} noValidate>
      <div class="content">
        <Merchant
          question={screen}
          lead={t(screen.kind === "tip" ? "approve_tip_to" : "approve_payment_to")}
        />
        {screen.error ? <ErrorNotice error={screen.error} /> : null}
        {screen.paused ? (
          <Notice tone="warn" icon="pause" title={t("approve_paused")}>
            {t("approve_paused_more")}
          </Notice>
        ) : null}
        {screen.why ? <p class="why small">{screen.why}</p> : null}
        <div class="card bill">
          <p class="bill-title foreign" dir="auto" data-lines="3">
            {screen.title}
          </p>
          {screen.tip ? (
            <Tip tip={screen.tip} currency={currency} problem={screen.problem} actions={actions} />
          ) : (
            <p class="bill-amount">
              {amount === null ? null : <AmountText amount={amount} currency={currency} />}
            </p>
          )}
          <dl class="facts small">
            <div>
              <dt>{t("approve_balance_after")}</dt>
              <dd class="money">
                {screen.balanceAfter === null ? "–" : formatBalance(screen.balanceAfter, currency)}
              </dd>
            </div>
            {screen.monthAfter ? (
              <LeftFact label={t("approve_month_after")} left={screen.monthAfter} currency={currency} />
            ) : null}
            {screen.siteLeft ? (
              <LeftFact label={t(SITE_LEFT[screen.siteLeft.of])} left={screen.siteLeft} currency={currency} />
            ) : null}
            {screen.refundWindow ? (
              <div>
                <dt>{t("approve_money_back")}</dt>
                <dd>{screen.refundWindow}</dd>
              </div>
            ) : null}
          </dl>
          {screen.refundPolicy === null ? null : (
            <details class="policy small">
              <summary>{t("shared_policy", { merchant: screen.merchantName })}</summary>
              <p>
                <MerchantWords words={screen.refundPolicy} />
              </p>
            </details>
          )}
        </div>
        {beyond ? <Beyond beyond={beyond} currency={currency} actions={actions} /> : null}
        {screen.allowance ? (
          <Allowance allowance={screen.allowance} currency={currency} actions={actions} />
        ) : null}
        <PrivacyMeter
          event={isTip ? "tip" : "payment"}
          situation={screen.privacy}
          merchant={screen.merchantName}
        />
      </div>
      <footer class="answers">
        <Button look="plain" large disabled={screen.declining} onClick={actions.decline}>
          {t("shared_not_now")}
        </Button>
        <Button type="submit" large disabled={!isOpen || !mayApprove || screen.declining}>
          {amount === null
            ? t(isTip ? "approve_tip" : "approve_pay")
            : t(isTip ? "approve_tip_amount" : "approve_pay_amount", {
                amount: formatMoney(amount, currency),
              })}
        </Button>
      </footer>
    </form>
  );
}

/**
 * Enter approves and Escape declines, wherever the focus is that has no use for them itself. The focus begins on the heading, not
 * on the button, and nothing approves before the guard is open (guard.ts): the window comes up over a page in which the
 * reader may be in the middle of typing, or of a double click. The button is disabled meanwhile. The guard starts
 * again whenever the question appears, so after a top-up too, and whenever the window comes to the front.
 */
function useGuard(actions: ApproveActions): boolean {
  const opensAt = useRef(document.hasFocus() ? guardFrom(performance.now()) : GUARD_SHUT);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    let timer = 0;
    const wait = (): void => {
      clearTimeout(timer);
      const milliseconds = opensAt.current - performance.now();
      setOpen(milliseconds <= 0);
      if (milliseconds > 0 && milliseconds < GUARD_SHUT) timer = window.setTimeout(wait, milliseconds);
    };
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key === "Escape") {
        actions.decline();
        return;
      }
      const now = performance.now();
      const isInControl =
        event.target instanceof Element && event.target.closest("button, input, select, summary") !== null;
      if (keyApproves(opensAt.current, event.key, event.repeat, isInControl, now)) {
        actions.approve();
        return;
      }
      opensAt.current = guardAfterKey(opensAt.current, event.key, isInControl, now);
      wait();
    };
    const onFocus = (): void => {
      opensAt.current = guardFrom(performance.now());
      wait();
    };
    const onBlur = (): void => {
      opensAt.current = GUARD_SHUT;
      wait();
    };
    document.addEventListener("keydown", onKeyDown);
    window.addEventListener("focus", onFocus);
    window.addEventListener("blur", onBlur);
    wait();
    return () => {
      document.removeEventListener("keydown", onKeyDown);
      window.removeEventListener("focus", onFocus);
      window.removeEventListener("blur", onBlur);
      clearTimeout(timer);
    };
  }, []);
  return isOpen;
}

/** The provider's name for the merchant and the verified site: never the page's words. Takes the focus, so that it is read first. */
function Merchant(props: {
  readonly question: Question;
  readonly lead: string;
  readonly isVerified?: boolean;
}) {
  const { question, lead, isVerified = true } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <div class="merchant">
      <h1 ref={heading} tabIndex={-1}>
        <span class="merchant-lead">{lead} </span>
        <span class="merchant-name foreign" dir="auto" data-lines="2">
          {question.merchantName}
        </span>
      </h1>
      <p class="merchant-site small" data-verified={isVerified ? "" : undefined}>
        {isVerified ? <Icon name="shield" size={16} /> : null}
        <span class="foreign">{question.site}</span>
        {isVerified ? <span class="soft">{t("approve_verified")}</span> : null}
      </p>
    </div>
  );
}

/** Where the choice stands, with the marks that keep words of another direction by themselves. */
const AROUND_LIMIT = /\u2068?\n\u2069?/;

function Allowance(props: {
  readonly allowance: AllowanceChoice;
  readonly currency: string;
  readonly actions: ApproveActions;
}) {
  const { allowance, currency, actions } = props;
  const [before, after = ""] = t("approve_allow", { limit: "\n" }).split(AROUND_LIMIT);
  return (
    <div class="check allowance">
      <input
        id="allow"
        type="checkbox"
        checked={allowance.checked}
        onChange={(event) => actions.setDontAskAgain(event.currentTarget.checked)}
      />
      <span class="allowance-words">
        <label for="allow">{before?.trimEnd()}</label>
        <select
          class="select"
          aria-label={t("approve_allow_limit")}
          value={String(allowance.limit)}
          onChange={(event) => {
            const chosen = allowance.choices.find((choice) => String(choice) === event.currentTarget.value);
            if (chosen !== undefined) actions.setLimit(chosen);
          }}
        >
          {allowance.choices.map((choice) => (
            <option key={String(choice)} value={String(choice)}>
              {shortMoney(choice, currency)}
            </option>
          ))}
        </select>
        <label for="allow">{after.trimStart()}</label>
      </span>
    </div>
  );
}

/** Beyond the monthly limit: the reader agrees to that by itself, or does not pay. */
function Beyond(props: {
  readonly beyond: BeyondMonth;
  readonly currency: string;
  readonly actions: ApproveActions;
}) {
  const { beyond, currency, actions } = props;
  return (
    <div class="notice beyond rise" data-tone="warn">
      <Icon name="alert" size={20} />
      <div class="notice-body">
        <p class="notice-title">
          {t("approve_beyond", {
            over: formatMoney(beyond.over, currency),
            limit: shortMoney(beyond.limit, currency),
          })}
        </p>
        <div class="check">
          <input
            id="beyond"
            type="checkbox"
            checked={beyond.agreed}
            onChange={(event) => actions.agreeBeyondMonth(event.currentTarget.checked)}
          />
          <label for="beyond">{t("approve_beyond_agree")}</label>
        </div>
      </div>
    </div>
  );
}

const SITE_LEFT = {
  site_day: "approve_site_left_day",
  site_month: "approve_site_left_month",
  site_total: "approve_site_left_total",
  site_payment: "approve_site_left_total",
  month: "approve_month_after",
} as const satisfies Record<BudgetView["of"], TextKey>;

function LeftFact(props: { readonly label: string; readonly left: Left; readonly currency: string }) {
  const { label, left, currency } = props;
  return (
    <div>
      <dt>{label}</dt>
      <dd class="money">
        {t("approve_left_of", {
          left: formatMoney(left.left, currency),
          limit: shortMoney(left.limit, currency),
        })}
      </dd>
    </div>
  );
}

function Tip(props: {
  readonly tip: TipChoice;
  readonly currency: string;
  readonly problem: string | null;
  readonly actions: ApproveActions;
}) {
  const { tip, currency, problem, actions } = props;
  const range = { least: shortMoney(tip.least, currency), most: shortMoney(tip.most, currency) };
  return (
    <fieldset class="tip">
      <legend class="unseen">{t("approve_how_much", range)}</legend>
      <div class="amounts">
        {tip.presets.map((preset) => (
          <button
            key={String(preset)}
            type="button"
            class="amount"
            aria-pressed={preset === tip.chosen}
            onClick={() => actions.chooseTip(preset)}
          >
            {shortMoney(preset, currency)}
          </button>
        ))}
      </div>
      <div class="field">
        <label for="own-amount" class="small">
          {t("approve_own_amount")}
        </label>
        <input
          id="own-amount"
          class="input money"
          type="text"
          inputMode="decimal"
          autocomplete="off"
          maxLength={12}
          value={tip.ownAmount ?? ""}
          aria-invalid={problem !== null}
          aria-describedby="own-amount-note"
          onInput={(event) => actions.typeTip(event.currentTarget.value)}
        />
        <p id="own-amount-note" class="input-note" role="status">
          {problem ?? t("approve_own_amount_range", range)}
        </p>
      </div>
    </fieldset>
  );
}

function Short({ screen, actions }: { readonly screen: ShortScreen; readonly actions: ApproveActions }) {
  const { currency, waitingFor } = screen;
  useEscape(actions);
  return (
    <>
      <div class="content">
        <Merchant
          question={screen}
          lead={t(screen.kind === "tip" ? "approve_tip_to" : "approve_payment_to")}
        />
        <div class="card bill">
          <p class="bill-title foreign" dir="auto" data-lines="3">
            {screen.title}
          </p>
          <p class="bill-amount">
            <AmountText amount={screen.amount} currency={currency} />
          </p>
          <dl class="facts small">
            <div>
              <dt>{t("approve_missing")}</dt>
              <dd>
                <AmountText amount={screen.missing} currency={currency} />
              </dd>
            </div>
          </dl>
        </div>
        {screen.error ? <ErrorNotice error={screen.error} /> : null}
        {screen.frozen ? (
          <FrozenNotice />
        ) : waitingFor ? (
          <Notice
            icon="busy"
            title={t("shared_top_up_open_title")}
            actions={
              <Button look="quiet" onClick={() => actions.openCheckout(waitingFor.checkoutUrl)}>
                {t("shared_top_up_open_again")}
              </Button>
            }
          >
            {t("approve_waiting_text")}
          </Notice>
        ) : (
          <div class="top-up">
            <h2>{t("approve_short_title")}</h2>
            <p class="soft">{t("approve_short_text")}</p>
            <TopUpAmounts offer={screen.topUps} disabled={screen.busy} onChoose={actions.topUp} />
          </div>
        )}
      </div>
      <footer class="answers">
        <Button look="plain" large wide onClick={actions.decline}>
          {t("shared_not_now")}
        </Button>
      </footer>
    </>
  );
}

function Progress(props: {
  readonly title: string;
  readonly question: Question;
  readonly children: ComponentChildren;
}) {
  return (
    <div class="content progress rise">
      {props.children}
      <h1>{props.title}</h1>
      <p class="soft">{t("approve_to_merchant", { merchant: props.question.merchantName })}</p>
    </div>
  );
}

function Over(props: {
  readonly title: string;
  readonly actions: ApproveActions;
  readonly children: string;
}) {
  useEscape(props.actions);
  return (
    <>
      <div class="content over">
        <EmptyState title={props.title} isWholePage>
          {props.children}
        </EmptyState>
      </div>
      <footer class="answers">
        <Button look="plain" large wide onClick={props.actions.close}>
          {t("shared_close")}
        </Button>
      </footer>
    </>
  );
}

function useEscape(actions: ApproveActions): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key === "Escape") actions.decline();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
}

/** What a screen reader says when the screen changes without the reader's doing. */
function announcement(screen: ApproveScreen): string {
  switch (screen.is) {
    case "asking":
      return screen.balanceAfter === null
        ? ""
        : t("approve_said_balance", { amount: formatBalance(screen.balanceAfter, screen.currency) });
    case "short":
      return t("approve_said_missing", { amount: formatMoney(screen.missing, screen.currency) });
    case "paying":
      return t("approve_said_paying");
    case "paid":
      return t("approve_paid", { amount: formatMoney(screen.amount, screen.currency) });
    default:
      return "";
  }
}
