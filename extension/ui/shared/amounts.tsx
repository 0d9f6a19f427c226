import { useState } from "preact/hooks";
import { type Micros, micros } from "../../../shared/money.ts";
import { Button } from "./button.tsx";
import { exampleOf, formatMoney, parseMoney, shortMoney } from "./money.ts";
import { PrivacyMeter } from "./privacy-meter.tsx";
import { t } from "./text.tsx";
import type { TopUpOffer } from "./top-up-offer.ts";

const EXAMPLE = micros(7_500_000);
/** Beside the button and not in it: whoever speaks to the computer says what stands on it. */
const LAST_NOTE = "last-amount-note";

/** The amounts for a top-up, and who will learn of it: one press starts it. */
export function TopUpAmounts(props: {
  readonly offer: TopUpOffer;
  readonly disabled?: boolean;
  readonly onChoose: (amount: Micros) => void;
}) {
  const { offer, disabled, onChoose } = props;
  const { topUpAmounts, lastTopUp, currency } = offer;
  return (
    <div class="top-up-choice">
      <fieldset class="amounts">
        <legend class="unseen">{t("shared_top_up_amounts")}</legend>
        {topUpAmounts.map((amount) => {
          const money = shortMoney(amount, currency);
          const isLast = amount === lastTopUp;
          return (
            <div class="amount-choice" key={String(amount)}>
              <button
                type="button"
                class="amount"
                data-last={isLast ? "" : undefined}
                disabled={disabled}
                aria-label={t("shared_top_up_amount", { amount: money })}
                aria-describedby={isLast ? LAST_NOTE : undefined}
                onClick={() => onChoose(amount)}
              >
                {money}
              </button>
              {isLast ? (
                <span class="amount-note" id={LAST_NOTE}>
                  {t("shared_last_time")}
                </span>
              ) : null}
            </div>
          );
        })}
      </fieldset>
      <OtherAmount offer={offer} disabled={disabled ?? false} onChoose={onChoose} />
      <PrivacyMeter event="top_up" />
    </div>
  );
}

function OtherAmount(props: {
  readonly offer: TopUpOffer;
  readonly disabled: boolean;
  readonly onChoose: (amount: Micros) => void;
}) {
  const { offer, disabled, onChoose } = props;
  const { topUpRange, currency } = offer;
  const [typed, setTyped] = useState("");
  if (topUpRange === null) return null;
  const amount = parseMoney(typed, currency);
  const isWithin = amount !== undefined && amount >= topUpRange.least && amount <= topUpRange.most;
  const range = t("shared_other_range", {
    least: shortMoney(topUpRange.least, currency),
    most: shortMoney(topUpRange.most, currency),
  });
  return (
    <details class="other-amount">
      <summary class="small">{t("shared_other_amount")}</summary>
      <form
        class="other-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (isWithin && !disabled) onChoose(amount);
        }}
      >
        <div class="field">
          <label class="unseen" for="other-amount">
            {t("shared_other_label")}
          </label>
          <input
            id="other-amount"
            class="input"
            inputMode="decimal"
            autocomplete="off"
            placeholder={exampleOf(EXAMPLE)}
            maxLength={20}
            value={typed}
            aria-invalid={typed !== "" && !isWithin}
            aria-describedby="other-amount-note"
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
          <p class="input-note small soft" id="other-amount-note">
            {range}
          </p>
        </div>
        <Button type="submit" look="plain" disabled={disabled || !isWithin}>
          {isWithin
            ? t("shared_top_up_amount", { amount: formatMoney(amount, currency) })
            : t("shared_top_up")}
        </Button>
      </form>
    </details>
  );
}
