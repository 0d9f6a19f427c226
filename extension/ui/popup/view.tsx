import { useEffect, useRef } from "preact/hooks";
import type { Micros } from "../../../shared/money.ts";
import type { TopUpView } from "../../../shared/protocol/ui.ts";
import { AmountText } from "../shared/amount-text.tsx";
import { TopUpAmounts } from "../shared/amounts.tsx";
import { Announcer } from "../shared/announcer.tsx";
import { Brand } from "../shared/brand.tsx";
import { Button } from "../shared/button.tsx";
import { EmptyState } from "../shared/empty-state.tsx";
import { errorText } from "../shared/error-text.ts";
import { Icon } from "../shared/icon.tsx";
import { formatBalance, formatMoney, shortMoney } from "../shared/money.ts";
import { ErrorNotice, FrozenNotice, Notice, RestoringNotice } from "../shared/notice.tsx";
import { Section } from "../shared/section.tsx";
import { Switch } from "../shared/switch.tsx";
import { t, tCount, Words } from "../shared/text.tsx";
import { Unlock } from "../shared/unlock.tsx";
import type {
  AllowanceRow,
  HomeScreen,
  PaymentRow,
  PopupNotice,
  PopupScreen,
  RememberedScreen,
  TopUpScreen,
} from "./state.ts";

export interface PopupActions {
  show(page: "home" | "topUp"): void;
  showAll(): void;
  dismissError(): void;
  dismissTopUp(id: string): void;
  topUp(amount: Micros): void;
  openCheckout(topUp: TopUpView): void;
  tip(): void;
  refund(paymentId: string): void;
  removeAllowance(origin: string): void;
  decline(approvalId: string): void;
  answer(approvalId: string): void;
  setPaused(paused: boolean): void;
  /** In a tab: the section of the options page, and the place in it. */
  openOptions(section: string, path?: readonly string[]): void;
  openWelcome(): void;
  lock(): void;
  putOffPhrase(): void;
}

export function PopupView({
  screen,
  actions,
}: {
  readonly screen: PopupScreen;
  readonly actions: PopupActions;
}) {
  switch (screen.is) {
    case "connecting":
      return (
        <div class="hero waiting" aria-busy="true">
          <div class="hero-top">
            <Brand playMoney={false} />
          </div>
          <h1 class="unseen">{t("popup_title")}</h1>
        </div>
      );
    case "silent":
      return (
        <div class="page">
          <Brand playMoney={false} />
          <EmptyState title={t("shared_silent_title")} isWholePage>
            {t("popup_silent_text")}
          </EmptyState>
        </div>
      );
    case "none":
      return (
        <div class="page">
          <Brand playMoney={screen.playMoney} />
          <EmptyState
            title={t("popup_none_title")}
            isWholePage
            hasMark
            action={<Button onClick={actions.openWelcome}>{t("popup_none_action")}</Button>}
          >
            {t("popup_none_text")}
          </EmptyState>
        </div>
      );
    case "locked":
      return (
        <div class="page">
          <Brand playMoney={false} />
          <Unlock />
        </div>
      );
    case "remembered":
      return <Remembered screen={screen} />;
    case "topUp":
      return <TopUp screen={screen} actions={actions} />;
    case "home":
      return <Home screen={screen} actions={actions} />;
  }
}

/** As high as home's head, so that nothing moves when the rest comes. */
function Remembered({ screen }: { readonly screen: RememberedScreen }) {
  return (
    <header class="hero">
      <Discs />
      <div class="hero-top">
        <Brand playMoney={screen.playMoney} />
      </div>
      <h1>
        <span class="hero-label">
          <span>{t("shared_balance")} </span>
        </span>
        <Balance balance={screen.balance} currency={screen.currency} />
      </h1>
      <p class="hero-parts hero-later" aria-hidden="true">
        <span>{t("popup_parts")}</span>
      </p>
      <div class="hero-action">
        <Button look="hero" wide disabled>
          {t("shared_top_up")}
        </Button>
      </div>
    </header>
  );
}

function Balance(props: { readonly balance: Micros; readonly currency: string }) {
  const balance = formatBalance(props.balance, props.currency);
  return (
    <span id="balance" class="hero-balance money" data-long={balance.length > 9 ? "" : undefined}>
      {balance}
    </span>
  );
}

function Home({ screen, actions }: { readonly screen: HomeScreen; readonly actions: PopupActions }) {
  const { currency } = screen;
  const balance = formatBalance(screen.balance, currency);
  // "Nothing paid yet" would be wrong of what only has not come yet.
  const isRestoring = screen.notices.some(({ is }) => is === "restoring");
  const action = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (screen.cameBack) action.current?.querySelector("button")?.focus();
  }, []);
  return (
    <>
      <header class="hero">
        <Discs />
        <div class="hero-top">
          <Brand playMoney={screen.playMoney} />
          {screen.canLock ? (
            <button type="button" class="icon-button" aria-label={t("popup_lock")} onClick={actions.lock}>
              <Icon name="lock" size={20} />
            </button>
          ) : null}
        </div>
        <h1>
          <span class="hero-label">
            <span>{t("shared_balance")} </span>
            {screen.inFlight === null ? null : (
              <span class="hero-flight">
                <Icon name="clock" size={16} />
                <span>
                  <Words
                    of="popup_in_flight"
                    amount={<AmountText amount={screen.inFlight} currency={currency} />}
                  />
                </span>
              </span>
            )}
          </span>
          <Balance balance={screen.balance} currency={currency} />
        </h1>
        <Parts parts={screen.parts} currency={currency} />
        <div class="hero-action" ref={action}>
          <Button look="hero" wide disabled={!screen.canTopUp} onClick={() => actions.show("topUp")}>
            {t("shared_top_up")}
          </Button>
        </div>
      </header>
      <div class="page">
        <Announcer words={t("shared_said_balance", { amount: balance })} />
        {screen.notices.map((notice) => (
          <HomeNotice key={noticeKey(notice)} notice={notice} currency={currency} actions={actions} />
        ))}
        {isRestoring && screen.payments.length === 0 ? null : (
          <Section
            title={t("popup_payments")}
            action={
              screen.payments.length === 0 ? null : (
                <Quiet onClick={() => actions.openOptions("spending")}>{t("popup_all_payments")}</Quiet>
              )
            }
          >
            {screen.payments.length === 0 ? (
              <div class="card">
                <EmptyState title={t("popup_payments_none_title")}>
                  {t("popup_payments_none_text")}
                </EmptyState>
              </div>
            ) : (
              <ul class="card list">
                {screen.payments.map((row) => (
                  <Payment key={row.id} row={row} currency={currency} actions={actions} />
                ))}
                {screen.hiddenPayments > 0 ? (
                  <li class="list-more">
                    <Button look="quiet" onClick={actions.showAll}>
                      {tCount("popup_show_more", screen.hiddenPayments)}
                    </Button>
                  </li>
                ) : null}
              </ul>
            )}
          </Section>
        )}
        {screen.allowances.length > 0 ? (
          <Section
            title={t("popup_allowances")}
            note={t("popup_allowances_note")}
            action={<Quiet onClick={() => actions.openOptions("budgets")}>{t("popup_change_budgets")}</Quiet>}
          >
            <ul class="card list">
              {screen.allowances.map((row) => (
                <Allowance key={row.origin} row={row} currency={currency} actions={actions} />
              ))}
            </ul>
          </Section>
        ) : null}
        <Switch
          id="pause"
          label={t("pause")}
          note={t("pause_note")}
          on={screen.pause.paused}
          busy={screen.pause.busy}
          onChange={actions.setPaused}
        />
      </div>
      <ThisPage tip={screen.tip} problem={screen.tipProblem} onTip={actions.tip} />
    </>
  );
}

/** Whom the page in front names for a tip: heard of a moment later than the rest, so where it moves nothing. */
function ThisPage({
  tip,
  problem,
  onTip,
}: {
  readonly tip: HomeScreen["tip"];
  readonly problem: HomeScreen["tipProblem"];
  readonly onTip: () => void;
}) {
  if (tip === null && problem === null) return null;
  return (
    <footer class="this-page">
      {problem === null ? null : (
        <Notice tone="warn" icon="alert" title={t("popup_tip_impossible")}>
          {errorText(problem.code).join(" ")}
        </Notice>
      )}
      {tip === null ? null : (
        <button type="button" class="card tip" disabled={tip.busy} onClick={onTip}>
          <Icon name="gift" size={20} />
          <span class="tip-words">
            <span class="row-title" data-lines="2">
              {t("popup_tip", { merchant: tip.merchantName })}
            </span>
            <span class="small soft foreign" dir="auto" data-lines="1">
              {tip.site}
            </span>
          </span>
          <span class="tip-open">
            <Icon name="back" />
          </span>
        </button>
      )}
    </footer>
  );
}

/** Of what the balance is made, for who asks. */
function Parts({ parts, currency }: { readonly parts: HomeScreen["parts"]; readonly currency: string }) {
  return (
    <details class="hero-parts">
      <summary>{t("popup_parts")}</summary>
      <dl>
        {parts.map(({ part, amount }) => (
          <div key={part}>
            <dt>{t(`popup_parts_${part}`)}</dt>
            <dd>
              <AmountText amount={amount} currency={currency} asBalance />
            </dd>
          </div>
        ))}
      </dl>
      <p>{t("popup_parts_note")}</p>
    </details>
  );
}

function Payment({
  row,
  currency,
  actions,
}: {
  readonly row: PaymentRow;
  readonly currency: string;
  readonly actions: PopupActions;
}) {
  return (
    <li class="row">
      <div class="row-words">
        <button
          type="button"
          class="row-title row-open foreign"
          dir="auto"
          data-lines="2"
          onClick={() => actions.openOptions("spending", ["payment", row.id])}
        >
          {row.title}
        </button>
        <p class="row-meta small soft">
          <span class="foreign" dir="auto" data-lines="1">
            {row.merchantName}
          </span>
          <span class="row-time">{row.time}</span>
        </p>
      </div>
      <div class="row-end">
        <span class="row-amount" data-struck={row.struck ? "" : undefined}>
          <AmountText amount={row.amount} currency={currency} />
        </span>
        {row.standing === null ? null : (
          <span class="small soft" data-failed={row.failed ? "" : undefined}>
            {row.standing}
          </span>
        )}
        {row.canRefund ? (
          <Button
            look="quiet"
            busy={row.busy}
            label={t("popup_money_back_label", { title: row.title, time: row.refundUntil ?? "" })}
            title={t("popup_money_back_until", { time: row.refundUntil ?? "" })}
            onClick={() => actions.refund(row.id)}
          >
            {t("popup_money_back")}
          </Button>
        ) : null}
      </div>
    </li>
  );
}

function Allowance({
  row,
  currency,
  actions,
}: {
  readonly row: AllowanceRow;
  readonly currency: string;
  readonly actions: PopupActions;
}) {
  return (
    <li class="row allowance">
      <div class="row-words">
        <p class="row-title foreign" dir="auto" data-lines="1" title={row.site}>
          {row.merchantName}
        </p>
        <p class="small soft">
          <Words
            of="popup_left_of"
            left={<AmountText amount={row.left} currency={currency} />}
            limit={shortMoney(row.limit, currency)}
          />
        </p>
      </div>
      <Button
        look="quiet"
        busy={row.busy}
        label={t("popup_remove_label", { merchant: row.merchantName, site: row.site })}
        onClick={() => actions.removeAllowance(row.origin)}
      >
        {t("popup_remove")}
      </Button>
      <progress class="bar" max={100} value={row.leftPercent} aria-hidden="true" />
    </li>
  );
}

function HomeNotice({
  notice,
  currency,
  actions,
}: {
  readonly notice: PopupNotice;
  readonly currency: string;
  readonly actions: PopupActions;
}) {
  switch (notice.is) {
    case "error":
      return (
        <ErrorNotice
          error={notice.error}
          actions={<Quiet onClick={actions.dismissError}>{t("popup_ok")}</Quiet>}
        />
      );
    case "frozen":
      return <FrozenNotice />;
    case "paused":
      return (
        <Notice
          tone="warn"
          icon="pause"
          title={t("popup_paused")}
          actions={
            <Quiet busy={notice.busy} onClick={() => actions.setPaused(false)}>
              {t("popup_resume")}
            </Quiet>
          }
        >
          {t("popup_paused_more")}
        </Notice>
      );
    case "restoring":
      return <RestoringNotice restore={notice.restore} />;
    case "unreachable":
      return (
        <Notice
          tone="warn"
          icon="offline"
          title={t("popup_unreachable_title", { provider: notice.provider })}
        >
          {t("popup_unreachable_text")}
        </Notice>
      );
    case "low":
      return (
        <Notice icon="alert" title={t("popup_low_title")}>
          {t("popup_low_text", { amount: formatBalance(notice.balance, currency) })}
        </Notice>
      );
    case "phrase": {
      const { reminder, atStake, busy } = notice;
      return (
        <Notice
          tone={reminder === "calm" ? "calm" : reminder === "firm" ? "warn" : "danger"}
          icon="key"
          title={t("popup_phrase_title")}
          actions={
            <>
              <Quiet onClick={actions.openWelcome}>{t("popup_phrase_action")}</Quiet>
              <Quiet busy={busy} onClick={actions.putOffPhrase}>
                {t("popup_phrase_later")}
              </Quiet>
            </>
          }
        >
          {reminder === "calm"
            ? t("shared_phrase_warning")
            : t("popup_phrase_at_stake", { amount: formatBalance(atStake, currency) })}
        </Notice>
      );
    }
    case "approval": {
      const { approval, site, busy } = notice;
      return (
        <Notice
          icon="bell"
          title={t("popup_asks_title")}
          actions={
            <>
              <Quiet
                label={t("popup_answer_label", { merchant: approval.merchantName, title: approval.title })}
                onClick={() => actions.answer(approval.id)}
              >
                {t("popup_answer")}
              </Quiet>
              <Quiet
                label={t("popup_not_now_label", { title: approval.title })}
                busy={busy}
                onClick={() => actions.decline(approval.id)}
              >
                {t("shared_not_now")}
              </Quiet>
            </>
          }
        >
          <span data-lines="2">
            {approval.kind === "tip"
              ? t("popup_asks_tip", { title: approval.title })
              : t("popup_asks_payment", {
                  amount: formatMoney(approval.amount, currency),
                  title: approval.title,
                })}
          </span>
          <span class="soft small" dir="auto" data-lines="1">
            {t("popup_asks_site", { merchant: approval.merchantName, site })}
          </span>
        </Notice>
      );
    }
    case "topUp":
      return <TopUpNotice topUp={notice.topUp} currency={currency} actions={actions} />;
  }
}

function TopUpNotice({
  topUp,
  currency,
  actions,
}: {
  readonly topUp: TopUpView;
  readonly currency: string;
  readonly actions: PopupActions;
}) {
  const amount = shortMoney(topUp.amount, currency);
  const dismiss = <Quiet onClick={() => actions.dismissTopUp(topUp.id)}>{t("popup_ok")}</Quiet>;
  const againOrNot = (
    <>
      <Quiet onClick={() => actions.show("topUp")}>{t("popup_try_again")}</Quiet>
      {dismiss}
    </>
  );
  switch (topUp.state) {
    case "open":
      return (
        <Notice
          icon="busy"
          title={t("shared_top_up_open_title")}
          actions={
            <>
              <Quiet onClick={() => actions.openCheckout(topUp)}>{t("shared_top_up_open_again")}</Quiet>
              <Quiet onClick={() => actions.dismissTopUp(topUp.id)}>{t("shared_hide")}</Quiet>
            </>
          }
        >
          {t("shared_top_up_open_text", { amount })}
        </Notice>
      );
    case "paid":
      return <Notice icon="check" title={t("shared_top_up_arrived", { amount })} actions={dismiss} />;
    case "declined":
      return (
        <Notice
          tone="warn"
          icon="alert"
          title={t("shared_top_up_declined_title", { amount })}
          actions={againOrNot}
        >
          {t("shared_top_up_declined_text")}
        </Notice>
      );
    case "abandoned":
      return (
        <Notice
          tone="warn"
          icon="clock"
          title={t("shared_top_up_abandoned_title", { amount })}
          actions={againOrNot}
        >
          {t("shared_top_up_abandoned_text")}
        </Notice>
      );
    case "charged_back":
      return null;
  }
}

function TopUp({ screen, actions }: { readonly screen: TopUpScreen; readonly actions: PopupActions }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
    // Escape would close the popup; here it only goes back.
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      actions.show("home");
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
  return (
    <div class="page sheet">
      <div class="sheet-head">
        <button
          type="button"
          class="icon-button"
          aria-label={t("popup_back")}
          onClick={() => actions.show("home")}
        >
          <Icon name="back" size={20} />
        </button>
        <h1 ref={heading} tabIndex={-1}>
          {t("shared_top_up")}
        </h1>
      </div>
      <p class="soft">{t("shared_top_up_text")}</p>
      {screen.error ? <ErrorNotice error={screen.error} /> : null}
      <TopUpAmounts offer={screen.topUps} disabled={screen.busy} onChoose={actions.topUp} />
      <p class="sheet-foot small soft" role="status">
        {screen.busy ? (
          <>
            <span class="ring" /> {t("popup_opening_checkout")}
          </>
        ) : (
          <span>
            <Words
              of="popup_balance_now"
              amount={<AmountText amount={screen.balance} currency={screen.currency} asBalance />}
            />{" "}
            {screen.playMoney ? t("popup_play_money_note") : ""}
          </span>
        )}
      </p>
    </div>
  );
}

function Quiet(props: {
  readonly label?: string;
  readonly busy?: boolean;
  readonly onClick: () => void;
  readonly children: string;
}) {
  return <Button look="quiet" {...props} />;
}

/** The mark again, large and faint. */
function Discs() {
  return (
    <svg class="hero-discs" viewBox="0 0 200 200" fill="none" aria-hidden="true">
      <circle cx="100" cy="100" r="98" stroke="currentColor" />
      <circle cx="122" cy="100" r="46" fill="currentColor" opacity="0.5" />
      <circle cx="76" cy="100" r="46" fill="currentColor" />
    </svg>
  );
}

function noticeKey(notice: PopupNotice): string {
  if (notice.is === "approval") return notice.approval.id;
  return notice.is === "topUp" ? `${notice.topUp.id} ${notice.state}` : notice.is;
}
