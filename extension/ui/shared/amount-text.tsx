import type { Micros } from "../../../shared/money.ts";
import { formatBalance, formatMoney } from "./money.ts";

/** An amount as people read it: "5¢", or with `asBalance` always in the major unit, "$0.05". */
export function AmountText(props: {
  readonly amount: Micros;
  readonly currency: string;
  readonly asBalance?: boolean;
}) {
  const { amount, currency, asBalance } = props;
  return (
    <span class="money">{asBalance ? formatBalance(amount, currency) : formatMoney(amount, currency)}</span>
  );
}
