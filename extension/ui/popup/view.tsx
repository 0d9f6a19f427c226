import { useEffect, useRef } from "preact/hooks";
import { formatBalance, formatMoney, type Micros } from "../../../shared/money.ts";
import type { TopUpView } from "../../../shared/protocol/ui.ts";
import { AmountText } from "../shared/amount-text.tsx";
import { shortMoney, TopUpAmounts } from "../shared/amounts.tsx";
import { Announcer } from "../shared/announcer.tsx";
import { Brand } from "../shared/brand.tsx";
import { Button } from "../shared/button.tsx";
import { EmptyState } from "../shared/empty-state.tsx";
import { Icon } from "../shared/icon.tsx";
import { ErrorNotice, FrozenNotice, Notice, RestoringNotice } from "../shared/notice.tsx";
import { Section } from "../shared/section.tsx";
import type { AllowanceRow, HomeScreen, PaymentRow, PopupNotice, PopupScreen, TopUpScreen } from "./state.ts";

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
  openWelcome(): void;
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
      return <div class="hero waiting" aria-busy="true" />;
    case "silent":
      return (
        <div class="page">
          <Brand playMoney={false} />
          <EmptyState title="The wallet is not answering" isWholePage>
            Your money is safe. This page keeps trying; if that lasts, restart the browser.
          </EmptyState>
        </div>
      );
    case "none":
      return (
        <div class="page">
          <Brand playMoney={screen.playMoney} />
          <EmptyState
            title="A few cents, one click"
            isWholePage
            hasMark
            action={<Button onClick={actions.openWelcome}>Set up your wallet</Button>}
          >
            There is no wallet in this browser yet. Setting one up takes a minute.
          </EmptyState>
        </div>
      );
    case "topUp":
      return <TopUp screen={screen} actions={actions} />;
    case "home":
      return <Home screen={screen} actions={actions} />;
  }
}

function Home({ screen, actions }: { readonly screen: HomeScreen; readonly actions: PopupActions }) {
  const { currency } = screen;
  const balance = formatBalance(screen.balance, currency);
  const action = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (screen.cameBack) action.current?.querySelector("button")?.focus();
  }, []);
  return (
    <>
      <header class="hero">
        <Discs />
        <Brand playMoney={screen.playMoney} />
        <h1>
          <span class="hero-label">
            <span>Balance </span>
            {screen.inFlight === null ? null : (
              <span class="hero-flight">
                <Icon name="clock" size={16} />
                <span>
                  <AmountText amount={screen.inFlight} currency={currency} /> in flight
                </span>
              </span>
            )}
          </span>
          <span id="balance" class="hero-balance money" data-long={balance.length > 9 ? "" : undefined}>
            {balance}
          </span>
        </h1>
        <div class="hero-action" ref={action}>
          <Button look="hero" wide disabled={!screen.canTopUp} onClick={() => actions.show("topUp")}>
            Top up
          </Button>
        </div>
      </header>
      <div class="page">
        <Announcer words={`Balance ${balance}`} />
        {screen.notices.map((notice) => (
          <HomeNotice key={noticeKey(notice)} notice={notice} currency={currency} actions={actions} />
        ))}
        {screen.tip ? (
          <button type="button" class="card tip" disabled={screen.tip.busy} onClick={actions.tip}>
            <Icon name="gift" size={20} />
            <span class="tip-words">
              <span class="row-title foreign" data-lines="1">
                Tip {screen.tip.merchantName}
              </span>
              <span class="small soft foreign" data-lines="1">
                {screen.tip.site}
              </span>
            </span>
            <span class="tip-open">
              <Icon name="back" />
            </span>
          </button>
        ) : null}
        <Section title="Payments">
          {screen.payments.length === 0 ? (
            <div class="card">
              <EmptyState title="Nothing paid yet">
                Where a page offers an article for a few cents, click, and it opens.
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
                    Show {screen.hiddenPayments} more
                  </Button>
                </li>
              ) : null}
            </ul>
          )}
        </Section>
        {screen.allowances.length > 0 ? (
          <Section title="Allowances" note="Sites that are paid without asking.">
            <ul class="card list">
              {screen.allowances.map((row) => (
                <Allowance key={row.origin} row={row} currency={currency} actions={actions} />
              ))}
            </ul>
          </Section>
        ) : null}
      </div>
    </>
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
        <p class="row-title foreign" data-lines="2">
          {row.title}
        </p>
        <p class="row-meta small soft">
          <span class="foreign" data-lines="1">
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
            label={`Money back for ${row.title}, until ${row.refundUntil}`}
            title={`Until ${row.refundUntil}`}
            onClick={() => actions.refund(row.id)}
          >
            Money back
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
        <p class="row-title foreign" data-lines="1" title={row.site}>
          {row.merchantName}
        </p>
        <p class="small soft">
          <AmountText amount={row.left} currency={currency} /> left of {shortMoney(row.limit, currency)}
        </p>
      </div>
      <Button
        look="quiet"
        busy={row.busy}
        label={`Remove the allowance of ${row.merchantName}, ${row.site}`}
        onClick={() => actions.removeAllowance(row.origin)}
      >
        Remove
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
      return <ErrorNotice error={notice.error} actions={<Quiet onClick={actions.dismissError}>OK</Quiet>} />;
    case "frozen":
      return <FrozenNotice />;
    case "restoring":
      return <RestoringNotice restore={notice.restore} />;
    case "unreachable":
      return (
        <Notice tone="warn" icon="offline" title={`${notice.provider} cannot be reached`}>
          Your money is safe. The wallet keeps trying by itself.
        </Notice>
      );
    case "phrase":
      return (
        <Notice
          tone="warn"
          icon="key"
          title="Write down your recovery phrase"
          actions={<Quiet onClick={actions.openWelcome}>Show the phrase</Quiet>}
        >
          Without it, a lost computer is lost money.
        </Notice>
      );
    case "approval": {
      const { approval, site, busy } = notice;
      return (
        <Notice
          icon="bell"
          title="Waiting for your answer"
          actions={
            <>
              <Quiet
                label={`Answer ${approval.merchantName}: ${approval.title}`}
                onClick={() => actions.answer(approval.id)}
              >
                Answer
              </Quiet>
              <Quiet
                label={`Not now: ${approval.title}`}
                busy={busy}
                onClick={() => actions.decline(approval.id)}
              >
                Not now
              </Quiet>
            </>
          }
        >
          <span class="foreign" data-lines="2">
            {approval.kind === "tip" ? "A tip: " : `${formatMoney(approval.amount, currency)} for `}“
            {approval.title}”
          </span>
          <span class="foreign soft small" data-lines="1">
            {approval.merchantName} · {site}
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
  const dismiss = <Quiet onClick={() => actions.dismissTopUp(topUp.id)}>OK</Quiet>;
  const againOrNot = (
    <>
      <Quiet onClick={() => actions.show("topUp")}>Try again</Quiet>
      {dismiss}
    </>
  );
  switch (topUp.state) {
    case "open":
      return (
        <Notice
          icon="busy"
          title="Waiting for the payment page…"
          actions={
            <>
              <Quiet onClick={() => actions.openCheckout(topUp)}>Open it again</Quiet>
              <Quiet onClick={() => actions.dismissTopUp(topUp.id)}>Hide</Quiet>
            </>
          }
        >
          {amount} will be here as soon as you confirm it there.
        </Notice>
      );
    case "paid":
      return <Notice icon="check" title={`${amount} arrived`} actions={dismiss} />;
    case "declined":
      return (
        <Notice tone="warn" icon="alert" title={`Your ${amount} top-up was declined`} actions={againOrNot}>
          Nothing was charged. Another card may work.
        </Notice>
      );
    case "abandoned":
      return (
        <Notice
          tone="warn"
          icon="clock"
          title={`Your ${amount} top-up was not finished`}
          actions={againOrNot}
        >
          The payment page was left. Nothing was charged.
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
        <button type="button" class="icon-button" aria-label="Back" onClick={() => actions.show("home")}>
          <Icon name="back" size={20} />
        </button>
        <h1 ref={heading} tabIndex={-1}>
          Top up
        </h1>
      </div>
      <p class="soft">
        Pay once, on your provider’s page. Sites are then paid from it, a few cents at a time.
      </p>
      {screen.error ? <ErrorNotice error={screen.error} /> : null}
      <TopUpAmounts
        amounts={screen.amounts}
        currency={screen.currency}
        disabled={screen.busy}
        onChoose={actions.topUp}
      />
      <p class="sheet-foot small soft" role="status">
        {screen.busy ? (
          <>
            <span class="ring" /> Opening the payment page…
          </>
        ) : (
          <span>
            You have <AmountText amount={screen.balance} currency={screen.currency} asBalance /> now.
            {screen.playMoney ? " The provider deals in play money: no card is charged." : ""}
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
