import type * as v from "valibot";
import { subtract, ZERO } from "../../../../shared/money.ts";
import { StatementPage } from "../../../../shared/protocol/revenue.ts";
import { call } from "../api.ts";
import { useLoaded } from "../load.ts";
import { money } from "../parts/money.ts";
import { Failure } from "../parts/notice.tsx";
import { day } from "../parts/time.ts";

type Statement = v.InferOutput<typeof StatementPage>["statements"][number];

export function Statements({ merchant }: { readonly merchant: string }) {
  const path = `/api/merchants/${merchant}/statements`;
  const [loaded, reload] = useLoaded(path, () => call("GET", path, StatementPage));
  if (loaded.state === "failed") return <Failure error={loaded.error} onRetry={reload} />;
  if (loaded.state === "loading" || loaded.value.statements.length === 0) return null;
  const { currency, statements } = loaded.value;
  return (
    <section class="card form" aria-labelledby="statements">
      <h2 id="statements">Statements</h2>
      <p class="soft">
        Every payment and refund of a settlement, signed. <code>npx tuppence check</code> adds one up again. A
        late refund is of a payment in a statement before.
      </p>
      <div class="table-frame">
        <table class="table" aria-labelledby="statements">
          <thead>
            <tr>
              <th scope="col">Settled</th>
              <th scope="col">Payments</th>
              <th scope="col">Late refunds</th>
              <th scope="col">Payout</th>
              <th scope="col">State</th>
              <th scope="col">Download</th>
            </tr>
          </thead>
          <tbody>
            {statements.map((statement) => (
              <tr key={statement.number}>
                <th scope="row">
                  {day(statement.closedAt)} <span class="soft">no. {statement.number}</span>
                </th>
                <td>{statement.paymentCount.toLocaleString()}</td>
                <td class="money">
                  {statement.lateRefunds === ZERO
                    ? "–"
                    : money(subtract(ZERO, statement.lateRefunds), currency)}
                </td>
                <td class="money">{money(statement.payout, currency)}</td>
                <td>{stateOf(statement)}</td>
                <td>
                  <a href={statement.json} download aria-label={`JSON of statement ${statement.number}`}>
                    JSON
                  </a>{" "}
                  <a href={statement.csv} download aria-label={`CSV of statement ${statement.number}`}>
                    CSV
                  </a>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function stateOf({ payout, paidOutAt }: Statement): string {
  if (payout === ZERO) return "Carried forward";
  return paidOutAt === null ? "On its way" : `Paid out ${day(paidOutAt)}`;
}
