/** The privacy meter: who learns what, in one line that opens to all of it. The facts are `shared/privacy.ts`, its words are here. */
import {
  type Fact,
  type Learned,
  learns,
  type PrivacyEvent,
  type PrivacySituation,
} from "../../../shared/privacy.ts";
import { Icon } from "./icon.tsx";
import { listText, type TextKey, t } from "./text.tsx";

const FACTS: Readonly<Record<Exclude<Fact, "address" | "moment">, TextKey>> = {
  account: "privacy_fact_account",
  account_amount: "privacy_fact_account_amount",
  not_spent: "privacy_fact_not_spent",
  backup_size: "privacy_fact_backup_size",
  blinded_coins: "privacy_fact_blinded_coins",
  merchant: "privacy_fact_merchant",
  page: "privacy_fact_page",
  amount: "privacy_fact_amount",
  payment_id: "privacy_fact_payment_id",
  untraceable_coins: "privacy_fact_untraceable_coins",
  change: "privacy_fact_change",
  refunded: "privacy_fact_refunded",
  refund_reason: "privacy_fact_refund_reason",
  interest_in_merchant: "privacy_fact_interest",
  wallet_present: "privacy_fact_wallet_present",
  bought_before: "privacy_fact_bought_before",
  payments_joined: "privacy_fact_payments_joined",
  account_by_moment: "privacy_fact_account_by_moment",
  payer_details: "privacy_fact_payer_details",
};

const LINES: Readonly<Record<PrivacyEvent, TextKey>> = {
  payment: "privacy_line_payment",
  payment_by_site: "privacy_line_payment",
  tip: "privacy_line_payment",
  refund: "privacy_line_refund",
  coming_back: "privacy_line_coming_back",
  top_up: "privacy_line_top_up",
  withdraw: "privacy_line_withdraw",
  backup: "privacy_line_backup",
  leaving: "privacy_line_leaving",
  restore: "privacy_line_restore",
};

/** What each party learns, in words: nothing of address and moment, which every party that learns anything has. */
export function wordsOf(facts: readonly Fact[]): string {
  const told = facts.flatMap((fact) => (fact === "address" || fact === "moment" ? [] : [t(FACTS[fact])]));
  return told.length === 0 ? t("privacy_nothing") : listText(told);
}

/** The one line. Where coins have to be fetched first it does not promise what it promises otherwise. */
export function lineOf(event: PrivacyEvent, learned: Learned): string {
  const isPayment = LINES[event] === "privacy_line_payment";
  return t(isPayment && learned.provider.includes("account_by_moment") ? "privacy_line_short" : LINES[event]);
}

export function PrivacyMeter(props: {
  readonly event: PrivacyEvent;
  readonly situation?: PrivacySituation;
  /** As the provider knows it; "the site" where there is none. */
  readonly merchant?: string;
  readonly isOpen?: boolean;
}) {
  const learned = learns(props.event, props.situation);
  const { merchant, provider, gateway } = learned;
  const isSeen = [...merchant, ...provider, ...gateway].includes("address");
  return (
    <details class="privacy small" open={props.isOpen}>
      <summary>
        <span class="privacy-eye">
          <Icon name="eye" size={16} />
        </span>
        <span>{lineOf(props.event, learned)}</span>
      </summary>
      <dl class="privacy-parties">
        <Party
          name={props.merchant ?? t("privacy_site")}
          isForeign={props.merchant !== undefined}
          facts={merchant}
        />
        <Party name={t("privacy_provider")} facts={provider} />
        <Party name={t("privacy_gateway")} facts={gateway} />
      </dl>
      {isSeen ? <p class="soft">{t("privacy_remains")}</p> : null}
    </details>
  );
}

function Party(props: {
  readonly name: string;
  readonly isForeign?: boolean;
  readonly facts: readonly Fact[];
}) {
  return (
    <div>
      <dt class={props.isForeign ? "foreign" : undefined}>{props.name}</dt>
      <dd>{wordsOf(props.facts)}</dd>
    </div>
  );
}
