import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { safeParse } from "valibot";
import { RefundReason } from "../../../../shared/protocol/fields.ts";
import type { PageError } from "../../../../shared/protocol/page.ts";
import { AmountText } from "../../shared/amount-text.tsx";
import { Button } from "../../shared/button.tsx";
import { EmptyState } from "../../shared/empty-state.tsx";
import { Icon } from "../../shared/icon.tsx";
import { MerchantWords } from "../../shared/merchant-words.tsx";
import { formatBalance, formatMoney, shortMoney } from "../../shared/money.ts";
import { ErrorNotice, Notice } from "../../shared/notice.tsx";
import { PrivacyMeter } from "../../shared/privacy-meter.tsx";
import { writeRoute } from "../../shared/route.ts";
import { Section } from "../../shared/section.tsx";
import { siteName } from "../../shared/site.ts";
import { type TextKey, t, tCount } from "../../shared/text.tsx";
import { Chart } from "./chart.tsx";
import { type Detail, type HistoryDay, type Overview, type Place, periodName, REASONS } from "./state.ts";

export interface HistoryList {
  readonly days: readonly HistoryDay[];
  /** More is being read. */
  readonly isLooking: boolean;
  readonly hasMore: boolean;
  /** For a search through much: so many of so many. Null where it was short. */
  readonly looked: { readonly count: number; readonly total: number } | null;
}

export interface ExportState {
  readonly format: "csv" | "json";
  readonly done: number;
  readonly total: number;
}

export interface SpendingActions {
  search(words: string): void;
  chooseState(state: string): void;
  more(): void;
  exportAs(format: "csv" | "json"): void;
  dismissError(): void;
}

export function SpendingView(props: {
  readonly place: Place;
  readonly view: Overview | null;
  readonly list: HistoryList | null;
  readonly exporting: ExportState | null;
  readonly error: PageError | null;
  readonly without: { readonly day: string; readonly site: string };
  readonly actions: SpendingActions;
}) {
  const { place, view, list, exporting, error, without, actions } = props;
  return (
    <>
      {error ? (
        <ErrorNotice
          error={error}
          actions={
            <Button look="quiet" onClick={actions.dismissError}>
              {t("ok")}
            </Button>
          }
        />
      ) : null}
      {view ? <Period view={view} /> : <div class="spending-waiting" aria-busy="true" />}
      <Section
        title={t(place.search === "" ? "options_payments" : "options_found")}
        action={<Export exporting={exporting} actions={actions} />}
      >
        {exporting === null ? null : (
          <div class="exporting">
            <p class="small soft" role="status">
              {t("options_export_progress", { done: exporting.done, total: exporting.total })}
            </p>
            <progress
              class="bar"
              max={Math.max(1, exporting.total)}
              value={exporting.done}
              aria-label={t("options_export")}
            />
          </div>
        )}
        <div class="history-tools">
          <Search words={place.search} onSearch={actions.search} />
          <label class="unseen" for="history-state">
            {t("options_state")}
          </label>
          <select
            id="history-state"
            class="select"
            value={place.state ?? ""}
            onChange={(event) => actions.chooseState(event.currentTarget.value)}
          >
            <option value="">{t("options_state_any")}</option>
            <option value="paid">{t("options_state_paid")}</option>
            <option value="pending">{t("payment_pending")}</option>
            <option value="refunded">{t("payment_refunded")}</option>
            <option value="failed">{t("payment_failed")}</option>
          </select>
          {place.day === null ? null : (
            <a class="chip" href={without.day} title={t("options_all_days")}>
              {periodName(place.day)} ×
            </a>
          )}
          {place.site === null ? null : (
            <a class="chip foreign" href={without.site} title={t("options_all_sites")}>
              {siteName(place.site)} ×
            </a>
          )}
        </div>
        {list === null ? (
          <div class="card history-waiting" aria-busy="true" />
        ) : (
          <History
            list={list}
            currency={view?.currency ?? ""}
            hasSearch={place.search !== ""}
            actions={actions}
          />
        )}
      </Section>
    </>
  );
}

/** Everything, whatever the list shows. */
function Export(props: { readonly exporting: ExportState | null; readonly actions: SpendingActions }) {
  const { exporting, actions } = props;
  const save = (format: ExportState["format"], words: TextKey) => (
    <Button
      look="quiet"
      busy={exporting?.format === format}
      disabled={exporting !== null}
      title={t("options_export_note")}
      onClick={() => actions.exportAs(format)}
    >
      {t(words)}
    </Button>
  );
  return (
    <span class="export">
      {save("csv", "options_export_csv")}
      {save("json", "options_export_json")}
    </span>
  );
}

function Period({ view }: { readonly view: Overview }) {
  const { currency, budget } = view;
  return (
    <>
      <div class="period">
        <nav class="period-steps" aria-label={t("options_period")}>
          <Step address={view.before} label={t("options_before")} icon="back" />
          <h2 class="period-title">{view.title}</h2>
          <Step address={view.after} label={t("options_after")} icon="forward" />
        </nav>
        <div class="period-units">
          <a class="unit" href={view.month} aria-current={view.isYear ? undefined : "true"}>
            {t("options_month")}
          </a>
          <a class="unit" href={view.year} aria-current={view.isYear ? "true" : undefined}>
            {t("options_year")}
          </a>
        </div>
      </div>
      <div class="card spending">
        <p class="spending-sum">
          <span class="spending-amount money">{formatBalance(view.spent, currency)}</span>{" "}
          <span class="soft">{tCount("options_in_payments", view.payments)}</span>
        </p>
        {budget ? (
          <p class="small soft">
            {t("options_left_this_month", {
              left: formatMoney(budget.left, currency),
              limit: shortMoney(budget.limit, currency),
            })}
          </p>
        ) : null}
        {view.payments === 0 ? null : <Chart view={view} />}
      </div>
      {view.sites.length === 0 ? null : (
        <Section title={t("options_by_site")}>
          <ol class="card list sites">
            {view.sites.map((row) => (
              <li key={row.origin ?? ""}>
                <SiteLink address={row.address} chosen={row.chosen}>
                  <span class="site-name foreign" dir="auto" data-lines="1">
                    {row.name}
                  </span>
                  <span class="small soft">{tCount("options_count_payments", row.payments)}</span>
                  <span class="site-amount money">{formatBalance(row.spent, currency)}</span>
                  <progress class="bar" max={1_000} value={row.width} aria-hidden="true" />
                </SiteLink>
              </li>
            ))}
          </ol>
        </Section>
      )}
    </>
  );
}

function SiteLink(props: {
  readonly address: string | null;
  readonly chosen: boolean;
  readonly children: ComponentChildren;
}) {
  return props.address === null ? (
    <div class="site">{props.children}</div>
  ) : (
    <a class="site" href={props.address} aria-current={props.chosen ? "true" : undefined}>
      {props.children}
    </a>
  );
}

function Step(props: {
  readonly address: string | null;
  readonly label: string;
  readonly icon: "back" | "forward";
}) {
  const { address, label, icon } = props;
  return address === null ? (
    <span class="step" data-none="">
      <Icon name={icon} />
    </span>
  ) : (
    <a class="step" href={address} aria-label={label} title={label}>
      <Icon name={icon} />
    </a>
  );
}

const SEARCH_AFTER_MS = 200;

function Search({ words, onSearch }: { readonly words: string; readonly onSearch: (words: string) => void }) {
  const [typed, type] = useState(words);
  const timer = useRef(0);
  useEffect(() => type(words), [words]);
  return (
    <search class="search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          clearTimeout(timer.current);
          onSearch(typed);
        }}
      >
        <Icon name="search" />
        <input
          class="input"
          type="search"
          maxLength={100}
          value={typed}
          placeholder={t("options_search")}
          aria-label={t("options_search")}
          onInput={(event) => {
            const { value } = event.currentTarget;
            type(value);
            clearTimeout(timer.current);
            timer.current = window.setTimeout(() => onSearch(value), SEARCH_AFTER_MS);
          }}
        />
      </form>
    </search>
  );
}

function History(props: {
  readonly list: HistoryList;
  readonly currency: string;
  readonly hasSearch: boolean;
  readonly actions: SpendingActions;
}) {
  const { list, currency, hasSearch, actions } = props;
  const looking = list.looked
    ? t("options_looked", { count: list.looked.count, total: list.looked.total })
    : t("options_looking");
  return (
    <>
      {list.days.length === 0 && !list.isLooking ? (
        <div class="card">
          <EmptyState title={t(hasSearch ? "options_nothing_found_title" : "options_nothing_title")}>
            {t(hasSearch ? "options_nothing_found" : "options_nothing")}
          </EmptyState>
        </div>
      ) : (
        list.days.map(({ day, name, rows }) => (
          <section key={day} class="history-day" aria-label={name}>
            <h3 class="small soft">{name}</h3>
            <ul class="card list">
              {rows.map((row) => (
                <li key={row.id}>
                  <a class="history-row" href={row.address}>
                    <span class="history-title foreign" dir="auto" data-lines="1">
                      {row.title}
                    </span>
                    <span class="history-amount" data-struck={row.struck ? "" : undefined}>
                      <AmountText amount={row.amount} currency={currency} />
                    </span>
                    <span class="row-meta small soft">
                      <span class="foreign" dir="auto" data-lines="1">
                        {row.site}
                      </span>
                      <span class="row-time">{row.time}</span>
                    </span>
                    <span class="history-standing small soft">{row.standing}</span>
                  </a>
                </li>
              ))}
            </ul>
          </section>
        ))
      )}
      <p class="history-status small soft" role="status">
        {list.isLooking ? (
          <>
            <span class="ring" /> {looking}
          </>
        ) : null}
      </p>
      {list.hasMore && !list.isLooking ? (
        <div class="history-more">
          <Button look="plain" onClick={actions.more}>
            {t("options_more")}
          </Button>
        </div>
      ) : null}
    </>
  );
}

export interface DetailActions {
  refund(reason: RefundReason | undefined): void;
  forget(): void;
  openArticle(address: string): void;
  copyReceipt(): void;
  saveReceipt(): void;
}

export function DetailView(props: {
  readonly view: Detail;
  readonly busy: boolean;
  readonly copied: boolean;
  readonly error: PageError | null;
  readonly actions: DetailActions;
}) {
  const { view, busy, copied, error, actions } = props;
  const { currency, receipt, article } = view;
  const [isForgetting, setForgetting] = useState(false);
  const [reason, chooseReason] = useState<RefundReason>();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <>
      <a class="back-link" href={writeRoute("spending")}>
        <Icon name="back" /> {t("options_all_payments")}
      </a>
      <div class="card detail">
        <div class="detail-head">
          <h2 ref={heading} tabIndex={-1} class="foreign">
            {view.title}
          </h2>
          <p
            class="detail-amount"
            data-struck={view.state === "refunded" || view.state === "failed" ? "" : undefined}
          >
            <AmountText amount={view.amount} currency={currency} />
          </p>
        </div>
        <p class="detail-said" role="status" data-state={view.state}>
          {view.said}
        </p>
        <dl class="facts">
          <Fact label={t("payment_to")}>{view.merchantName}</Fact>
          <Fact label={t("payment_site")}>{view.site}</Fact>
          <Fact label={t("payment_time")}>{view.time}</Fact>
          <Fact label={t("payment_how")}>
            {t(
              view.kind === "tip"
                ? "payment_how_tip"
                : view.unasked
                  ? "payment_how_unasked"
                  : "payment_how_asked",
            )}
          </Fact>
          {view.askedBack ? (
            <Fact label={t("payment_money_back")}>{t("payment_money_back_asked")}</Fact>
          ) : view.refundUntil === null && !view.refundOver ? null : (
            <Fact label={t("payment_money_back")}>
              {view.refundUntil === null
                ? t("payment_money_back_over")
                : t("payment_money_back_until", { time: view.refundUntil })}
            </Fact>
          )}
          {view.refundPolicy === null ? null : (
            <Fact label={t("shared_policy", { merchant: view.merchantName })}>
              <MerchantWords words={view.refundPolicy} />
            </Fact>
          )}
          {view.toldReason === null ? null : <Fact label={t("payment_reason_told")}>{view.toldReason}</Fact>}
        </dl>
        {error && !(view.askedBack && error.code === "refund_limit") ? <ErrorNotice error={error} /> : null}
        {view.refundUntil === null || view.askedBack ? null : (
          <Reason chosen={reason} onChoose={chooseReason} />
        )}
        <div class="detail-actions">
          {article === null ? null : (
            <Button look="plain" onClick={() => actions.openArticle(article)}>
              {t(view.kind === "tip" ? "payment_open_page" : "payment_open")}
            </Button>
          )}
          {view.askedBack ? (
            <Button look="plain" busy={busy} onClick={() => actions.refund(undefined)}>
              {t("payment_ask_again")}
            </Button>
          ) : view.refundUntil !== null ? (
            <Button look="plain" busy={busy} onClick={() => actions.refund(reason)}>
              {t("payment_ask_back")}
            </Button>
          ) : view.canFetch ? (
            <Button look="quiet" busy={busy} onClick={() => actions.refund(undefined)}>
              {t("payment_money_back_fetch")}
            </Button>
          ) : null}
          <a class="button" data-look="quiet" href={writeRoute("budgets", [], { site: view.origin })}>
            {t("payment_budget")}
          </a>
          {view.canForget ? (
            <Button look="quiet" onClick={() => setForgetting(true)}>
              {t("payment_forget")}
            </Button>
          ) : null}
        </div>
        {isForgetting ? (
          <Notice
            tone="warn"
            icon="alert"
            title={t("payment_forget_title", { site: view.site })}
            actions={
              <>
                <Button look="quiet" busy={busy} onClick={actions.forget}>
                  {t("payment_forget_yes")}
                </Button>
                <Button look="quiet" onClick={() => setForgetting(false)}>
                  {t("payment_forget_no")}
                </Button>
              </>
            }
          >
            {t("payment_forget_note")}
          </Notice>
        ) : null}
      </div>
      {view.state === "failed" ? null : (
        <Section title={t("privacy_title")}>
          <div class="card detail">
            <PrivacyMeter
              event={view.kind === "tip" ? "tip" : "payment"}
              situation={view.privacy}
              merchant={view.merchantName}
            />
            {view.kind === "article" && view.state === "paid" ? (
              <PrivacyMeter event="coming_back" merchant={view.merchantName} />
            ) : null}
            {view.state === "refunded" || view.state === "refunding" ? (
              <PrivacyMeter event="refund" merchant={view.merchantName} />
            ) : null}
          </div>
        </Section>
      )}
      <Section title={t("receipt")}>
        <div class="card detail">
          {receipt === null ? (
            <p class="soft">{t("receipt_none")}</p>
          ) : (
            <>
              <p>
                {t("receipt_said", {
                  issuer: new URL(receipt.issuer).host,
                  time: view.issuedAt,
                  merchant: receipt.merchant,
                  amount: formatBalance(receipt.amount, receipt.currency),
                })}
              </p>
              <p class="small soft foreign">{receipt.resource}</p>
              <details class="small">
                <summary>{t("receipt_signed")}</summary>
                <code class="receipt-token foreign">{receipt.token}</code>
              </details>
              <div class="detail-actions">
                <Button look="plain" onClick={actions.copyReceipt}>
                  {t(copied ? "receipt_copied" : "receipt_copy")}
                </Button>
                <Button look="plain" onClick={actions.saveReceipt}>
                  {t("receipt_save")}
                </Button>
              </div>
            </>
          )}
        </div>
      </Section>
    </>
  );
}

export function NoPayment() {
  return (
    <div class="card">
      <EmptyState
        title={t("payment_unknown_title")}
        action={
          <a class="button" data-look="plain" href={writeRoute("spending")}>
            {t("options_all_payments")}
          </a>
        }
      >
        {t("payment_unknown")}
      </EmptyState>
    </div>
  );
}

/** Nobody has to: the button beneath takes the money back as it is. */
function Reason(props: {
  readonly chosen: RefundReason | undefined;
  readonly onChoose: (reason: RefundReason | undefined) => void;
}) {
  return (
    <div class="field reason">
      <label for="reason">{t("payment_reason")}</label>
      <select
        id="reason"
        class="select"
        value={props.chosen ?? ""}
        aria-describedby="reason-note"
        onChange={({ currentTarget }) => {
          const chosen = safeParse(RefundReason, currentTarget.value);
          props.onChoose(chosen.success ? chosen.output : undefined);
        }}
      >
        <option value="">{t("payment_reason_none")}</option>
        {Object.entries(REASONS).map(([reason, words]) => (
          <option key={reason} value={reason}>
            {t(words)}
          </option>
        ))}
      </select>
      <p id="reason-note" class="input-note">
        {t("payment_reason_note")}
      </p>
    </div>
  );
}

function Fact({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd class="foreign">{children}</dd>
    </div>
  );
}
