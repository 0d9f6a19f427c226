import { useState } from "preact/hooks";
import type * as v from "valibot";
import { PaymentPage } from "../../../../shared/protocol/revenue.ts";
import { call } from "../api.ts";
import { pathOf } from "../parts/address.ts";
import { Button } from "../parts/button.tsx";
import { money } from "../parts/money.ts";
import { Failure } from "../parts/notice.tsx";
import { moment } from "../parts/time.ts";

type Page = v.InferOutput<typeof PaymentPage>;
export const LATEST_PAYMENTS = 10;
const OLDER_PAYMENTS = 50;

export interface PaymentsProps {
  readonly merchant: string;
  /** The newest ones, again and again. */
  readonly latest: Page;
}

export function Payments({ merchant, latest }: PaymentsProps) {
  const [older, setOlder] = useState<Page>();
  const [error, setError] = useState<unknown>();
  // The older ones keep what was among the newest when they were read, so that nothing is missing between them.
  const payments = unique([...latest.payments, ...(older?.payments ?? [])]);
  const hasMore = (older ?? latest).hasMore;
  const readOlder = async () => {
    setError(undefined);
    const before = payments.at(-1)?.sequence;
    const path = `/api/merchants/${merchant}/payments?limit=${OLDER_PAYMENTS}&before=${before}`;
    const page = await call("GET", path, PaymentPage);
    setOlder({ ...page, payments: [...payments, ...page.payments] });
  };
  return (
    <section class="card form" aria-labelledby="payments">
      <h2 id="payments">Payments</h2>
      {payments.length === 0 ? (
        <p class="soft">None yet. The first one shows here a few seconds after it is made.</p>
      ) : (
        <div class="table-frame">
          <table class="table" aria-labelledby="payments">
            <thead>
              <tr>
                <th scope="col">Address</th>
                <th scope="col">When</th>
                <th scope="col">Amount</th>
              </tr>
            </thead>
            <tbody>
              {payments.map(({ id, resource, kind, paidAt, amount, refundedAt }) => (
                <tr key={id} data-refunded={refundedAt !== null}>
                  <th scope="row" class="foreign" title={resource}>
                    {pathOf(resource)} {kind === "tip" ? <span class="chip">Tip</span> : null}
                  </th>
                  <td>
                    {moment(paidAt)}
                    {refundedAt === null ? null : (
                      <span class="small soft"> · given back {moment(refundedAt)}</span>
                    )}
                  </td>
                  <td class="money">
                    {refundedAt === null ? (
                      money(amount, latest.currency)
                    ) : (
                      <s>{money(amount, latest.currency)}</s>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Failure error={error} />
      {hasMore ? (
        <div>
          <Button look="plain" onPress={readOlder} onError={setError}>
            Older payments
          </Button>
        </div>
      ) : null}
    </section>
  );
}

/** Newest first; of what is told twice what was told last, which is among the newest. */
function unique(payments: Page["payments"]): Page["payments"] {
  const found = new Map(payments.toReversed().map((payment) => [payment.id, payment]));
  return [...found.values()].sort((a, b) => b.sequence - a.sequence);
}
