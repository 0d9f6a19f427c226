/** What the section "Budgets" shows, as data: the pause, the monthly limit, and what each site is paid without asking. */
import type { Micros } from "../../../../shared/money.ts";
import type { BudgetView, WalletSnapshot } from "../../../../shared/protocol/ui.ts";
import { formatMoney, parseMoney } from "../../shared/money.ts";
import { siteName } from "../../shared/site.ts";
import { t } from "../../shared/text.tsx";

/** The limits of a site, as the reader types them. Empty is no limit. */
export interface SiteWords {
  readonly perPayment: string;
  readonly perDay: string;
  readonly perMonth: string;
}

export interface SiteLimits {
  readonly perPayment: Micros | null;
  readonly perDay: Micros | null;
  readonly perMonth: Micros | null;
}

export interface SiteBudget {
  readonly origin: string;
  readonly site: string;
  readonly merchantName: string;
  /** Each with what is left of it, the limit for one payment aside. */
  readonly budgets: readonly BudgetView[];
  readonly words: SiteWords;
  /** Not given yet: the reader came from a payment, or chose the site here. */
  readonly isNew: boolean;
}

export interface BudgetsScreen {
  readonly currency: string;
  readonly paused: boolean;
  readonly spentThisMonth: Micros;
  readonly month: BudgetView | null;
  readonly monthWords: string;
  readonly sites: readonly SiteBudget[];
  /** Sites that were paid lately and have no budget. */
  readonly others: readonly {
    readonly origin: string;
    readonly site: string;
    readonly merchantName: string;
  }[];
}

export function budgetsScreen(snapshot: WalletSnapshot, chosenSite: string | undefined): BudgetsScreen {
  const { currency, allowances, payments, month, paused } = snapshot;
  const sites = allowances.map(
    ({ origin, merchantName, budgets }): SiteBudget => ({
      origin,
      site: siteName(origin),
      merchantName,
      budgets: budgets.filter(({ of }) => of !== "site_payment"),
      words: {
        perPayment: wordsOf(budgets, "site_payment", currency),
        perDay: wordsOf(budgets, "site_day", currency),
        perMonth: wordsOf(budgets, "site_month", currency),
      },
      isNew: false,
    }),
  );
  const known = new Set(sites.map(({ origin }) => origin));
  const others = new Map(
    payments
      .filter(({ origin, state }) => !known.has(origin) && state !== "failed")
      .map(({ origin, merchantName }) => [origin, { origin, site: siteName(origin), merchantName }]),
  );
  const isNew = chosenSite !== undefined && !known.has(chosenSite) && URL.canParse(chosenSite);
  return {
    currency,
    paused,
    spentThisMonth: month.spent,
    month: month.budget,
    monthWords: month.budget ? formatMoney(month.budget.limit, currency) : "",
    sites: isNew
      ? [
          {
            origin: chosenSite,
            site: siteName(chosenSite),
            merchantName: others.get(chosenSite)?.merchantName ?? siteName(chosenSite),
            budgets: [],
            words: { perPayment: "", perDay: "", perMonth: "" },
            isNew: true,
          },
          ...sites,
        ]
      : sites,
    others: [...others.values()].filter(({ origin }) => origin !== chosenSite),
  };
}

function wordsOf(budgets: readonly BudgetView[], of: BudgetView["of"], currency: string): string {
  const found = budgets.find((budget) => budget.of === of);
  return found === undefined ? "" : formatMoney(found.limit, currency);
}

/** What was typed, as limits; or what is wrong with it, by field. */
export function readSite(
  words: SiteWords,
  currency: string,
): { readonly limits: SiteLimits } | { readonly problems: Partial<Record<keyof SiteWords, string>> } {
  const limits = {
    perPayment: readLimit(words.perPayment, currency),
    perDay: readLimit(words.perDay, currency),
    perMonth: readLimit(words.perMonth, currency),
  };
  const problems: Partial<Record<keyof SiteWords, string>> = {};
  for (const field of ["perPayment", "perDay", "perMonth"] as const)
    if (limits[field] === undefined) problems[field] = t("budgets_not_an_amount");
  if (Object.keys(problems).length > 0) return { problems };
  const { perPayment = null, perDay = null, perMonth = null } = limits;
  if (perDay === null && perMonth === null) return { problems: { perMonth: t("budgets_needs_an_end") } };
  return { limits: { perPayment, perDay, perMonth } };
}

/** Null where nothing stands there; undefined where what does is no amount. */
export function readLimit(words: string, currency: string): Micros | null | undefined {
  return words.trim() === "" ? null : parseMoney(words, currency);
}

/** Of a limit, what is left, in thousandths, for a bar. */
export function leftShare({ limit, left }: BudgetView): number {
  return limit > 0n ? Number((left * 1_000n) / limit) : 0;
}
