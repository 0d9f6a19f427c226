import { formatMoney, type Micros } from "../../../shared/money.ts";

/** "$5" rather than "$5.00" on a button: the amounts to choose from are whole. */
export function shortMoney(amount: Micros, currency: string): string {
  return formatMoney(amount, currency).replace(/\.00$/, "");
}

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
      <legend class="unseen">Amounts to top up</legend>
      {amounts.map((amount) => (
        <button
          key={String(amount)}
          type="button"
          class="amount"
          disabled={disabled}
          aria-label={`Top up ${shortMoney(amount, currency)}`}
          onClick={() => onChoose(amount)}
        >
          {shortMoney(amount, currency)}
        </button>
      ))}
    </fieldset>
  );
}
