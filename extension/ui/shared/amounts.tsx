import type { Micros } from "../../../shared/money.ts";
import { shortMoney } from "./money.ts";
import { t } from "./text.tsx";

/** The amounts for a top-up: one press starts it. */
export function TopUpAmounts(props: {
  readonly amounts: readonly Micros[];
  readonly currency: string;
  readonly disabled?: boolean;
  readonly onChoose: (amount: Micros) => void;
}) {
  const { amounts, currency, disabled, onChoose } = props;
  return (
    <fieldset class="amounts">
      <legend class="unseen">{t("shared_top_up_amounts")}</legend>
      {amounts.map((amount) => (
        <button
          key={String(amount)}
          type="button"
          class="amount"
          disabled={disabled}
          aria-label={t("shared_top_up_amount", { amount: shortMoney(amount, currency) })}
          onClick={() => onChoose(amount)}
        >
          {shortMoney(amount, currency)}
        </button>
      ))}
    </fieldset>
  );
}
