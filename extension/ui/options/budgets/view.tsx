import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { PageError } from "../../../../shared/protocol/page.ts";
import type { BudgetView } from "../../../../shared/protocol/ui.ts";
import { Button } from "../../shared/button.tsx";
import { EmptyState } from "../../shared/empty-state.tsx";
import { formatMoney, shortMoney } from "../../shared/money.ts";
import { ErrorNotice } from "../../shared/notice.tsx";
import { writeRoute } from "../../shared/route.ts";
import { Section } from "../../shared/section.tsx";
import { Switch } from "../../shared/switch.tsx";
import { type TextKey, t } from "../../shared/text.tsx";
import {
  type BudgetsScreen,
  leftShare,
  readLimit,
  readSite,
  type SiteBudget,
  type SiteLimits,
  type SiteWords,
} from "./state.ts";

export interface BudgetsActions {
  setPaused(paused: boolean): void;
  /** Resolves with whether it was done. */
  setMonthlyLimit(limit: bigint | null): Promise<boolean>;
  setSite(origin: string, limits: SiteLimits): Promise<boolean>;
  removeSite(origin: string): Promise<boolean>;
}

export function BudgetsView(props: {
  readonly screen: BudgetsScreen;
  readonly busy: readonly string[];
  readonly error: PageError | null;
  readonly saved: string | null;
  readonly actions: BudgetsActions;
}) {
  const { screen, busy, error, saved, actions } = props;
  const { currency, sites, others } = screen;
  return (
    <>
      <p class="soft">{t("options_budgets_lead")}</p>
      {error ? <ErrorNotice error={error} /> : null}
      <Switch
        id="pause"
        label={t("pause")}
        note={t("pause_note")}
        on={screen.paused}
        busy={busy.includes("pause")}
        onChange={actions.setPaused}
      />
      <Section title={t("budgets_month_title")}>
        <Month screen={screen} busy={busy.includes("month")} isSaved={saved === "month"} actions={actions} />
      </Section>
      <Section title={t("budgets_sites_title")} note={t("budgets_sites_note")}>
        {sites.length === 0 ? (
          <div class="card">
            <EmptyState title={t("budgets_no_sites_title")}>{t("budgets_no_sites")}</EmptyState>
          </div>
        ) : (
          <ul class="site-budgets">
            {sites.map((site) => (
              <li key={site.origin}>
                <Site
                  site={site}
                  currency={currency}
                  busy={busy.includes(site.origin)}
                  isSaved={saved === site.origin}
                  actions={actions}
                />
              </li>
            ))}
          </ul>
        )}
        {others.length === 0 ? null : (
          <p class="small soft others">
            {t("budgets_others")}{" "}
            {others.map(({ origin, site }) => (
              <a key={origin} class="chip foreign" href={writeRoute("budgets", [], { site: origin })}>
                {site}
              </a>
            ))}
          </p>
        )}
      </Section>
    </>
  );
}

function Month(props: {
  readonly screen: BudgetsScreen;
  readonly busy: boolean;
  readonly isSaved: boolean;
  readonly actions: BudgetsActions;
}) {
  const { screen, busy, isSaved, actions } = props;
  const { currency, month, monthWords } = screen;
  const [words, setWords] = useState(monthWords);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => setWords(monthWords), [monthWords]);
  return (
    <form
      class="card budget"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const limit = readLimit(words, currency);
        setProblem(limit === undefined ? t("budgets_not_an_amount") : null);
        if (limit !== undefined) void actions.setMonthlyLimit(limit);
      }}
    >
      <p>
        {t("budgets_month_spent", { spent: formatMoney(screen.spentThisMonth, currency) })}{" "}
        {month === null ? null : (
          <span class="soft">
            {t("budgets_month_left", {
              left: formatMoney(month.left, currency),
              limit: shortMoney(month.limit, currency),
            })}
          </span>
        )}
      </p>
      {month === null ? null : (
        <progress class="bar" max={1_000} value={leftShare(month)} aria-hidden="true" />
      )}
      <div class="budget-fields">
        <LimitField
          label={t("budgets_month_label")}
          note={t("budgets_month_note")}
          words={words}
          problem={problem}
          onInput={setWords}
        />
      </div>
      <Saving busy={busy} isSaved={isSaved} />
    </form>
  );
}

const LEFT: Readonly<Record<BudgetView["of"], TextKey>> = {
  site_payment: "budgets_left_total",
  site_day: "budgets_left_day",
  site_month: "budgets_left_month",
  site_total: "budgets_left_total",
  month: "budgets_left_month",
};

function Site(props: {
  readonly site: SiteBudget;
  readonly currency: string;
  readonly busy: boolean;
  readonly isSaved: boolean;
  readonly actions: BudgetsActions;
}) {
  const { site, currency, busy, isSaved, actions } = props;
  const [words, setWords] = useState<SiteWords>(site.words);
  const [problems, setProblems] = useState<Partial<Record<keyof SiteWords, string>>>({});
  const form = useRef<HTMLFormElement>(null);
  const id = useId();
  const { perPayment, perDay, perMonth } = site.words;
  useEffect(() => setWords({ perPayment, perDay, perMonth }), [perPayment, perDay, perMonth]);
  useEffect(() => {
    if (site.isNew) form.current?.querySelector("input")?.focus();
  }, [site.isNew]);
  const field = (name: keyof SiteWords, label: TextKey) => (
    <LimitField
      label={t(label)}
      words={words[name]}
      problem={problems[name] ?? null}
      onInput={(typed) => setWords({ ...words, [name]: typed })}
    />
  );
  return (
    <form
      ref={form}
      class="card budget"
      aria-labelledby={id}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const read = readSite(words, currency);
        setProblems("problems" in read ? read.problems : {});
        if ("limits" in read) void actions.setSite(site.origin, read.limits);
      }}
    >
      <div class="budget-head">
        <h3 id={id} class="foreign">
          {site.merchantName} <span class="soft small">{site.site}</span>
        </h3>
        {site.isNew ? null : (
          <Button
            look="quiet"
            busy={busy}
            label={t("budgets_remove_label", { name: site.merchantName })}
            onClick={() => void actions.removeSite(site.origin)}
          >
            {t("budgets_remove")}
          </Button>
        )}
      </div>
      {site.budgets.map((budget) => (
        <div key={budget.of} class="budget-left">
          <p class="small soft">
            {t(LEFT[budget.of], {
              left: formatMoney(budget.left, currency),
              limit: shortMoney(budget.limit, currency),
            })}
          </p>
          <progress class="bar" max={1_000} value={leftShare(budget)} aria-hidden="true" />
        </div>
      ))}
      <div class="budget-fields">
        {field("perPayment", "budgets_per_payment")}
        {field("perDay", "budgets_per_day")}
        {field("perMonth", "budgets_per_month")}
      </div>
      <Saving busy={busy} isSaved={isSaved} />
    </form>
  );
}

function LimitField(props: {
  readonly label: string;
  readonly note?: string;
  readonly words: string;
  readonly problem: string | null;
  readonly onInput: (words: string) => void;
}) {
  const { label, note, words, problem, onInput } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        class="input money"
        type="text"
        inputMode="decimal"
        autocomplete="off"
        maxLength={12}
        placeholder={t("budgets_no_limit")}
        value={words}
        aria-invalid={problem !== null}
        aria-describedby={`${id}-note`}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      <p id={`${id}-note`} class="input-note" role={problem === null ? undefined : "alert"}>
        {problem ?? note}
      </p>
    </div>
  );
}

function Saving({ busy, isSaved }: { readonly busy: boolean; readonly isSaved: boolean }) {
  return (
    <div class="budget-save">
      <Button type="submit" look="plain" busy={busy}>
        {t("save")}
      </Button>
      <span class="small soft" role="status">
        {isSaved ? t("saved") : ""}
      </span>
    </div>
  );
}
