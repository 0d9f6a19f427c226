import { useState } from "preact/hooks";
import type * as v from "valibot";
import { RefundGranted } from "../../../../shared/protocol/dashboard.ts";
import type { RefundReason } from "../../../../shared/protocol/fields.ts";
import { PaymentPage } from "../../../../shared/protocol/revenue.ts";
import { call } from "../api.ts";
import { pathOf } from "../parts/address.ts";
import { Button } from "../parts/button.tsx";
import { money } from "../parts/money.ts";
import { Failure } from "../parts/notice.tsx";
import { Sure } from "../parts/sure.tsx";
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
  /** Given back here: shown at once, though among the older ones nothing is asked for again. */
  const [given, setGiven] = useState<
    ReadonlyMap<string, Pick<Page["payments"][number], "refundedAt" | "refund">>
  >(new Map());
  const [error, setError] = useState<unknown>();
  // The older ones keep what was among the newest when they were read, so that nothing is missing between them.
  const payments = unique([...latest.payments, ...(older?.payments ?? [])]).map((payment) =>
    payment.refund === null || payment.refund.state === "asked"
      ? { ...payment, ...given.get(payment.id) }
      : payment,
  );
  const hasMore = (older ?? latest).hasMore;
  const readOlder = async () => {
    setError(undefined);
    const before = payments.at(-1)?.sequence;
    const path = `/api/merchants/${merchant}/payments?limit=${OLDER_PAYMENTS}&before=${before}`;
    const page = await call("GET", path, PaymentPage);
    setOlder({ ...page, payments: [...payments, ...page.payments] });
  };
  const giveBack = async (id: string) => {
    setError(undefined);
    const { state } = await call("POST", `/api/merchants/${merchant}/payments/${id}/refund`, RefundGranted);
    const refundedAt = state === "waiting" ? null : Date.now();
    const refund = {
      state: state === "collected" ? "returned" : state,
      givenBy: "merchant",
      reason: null,
    } as const;
    setGiven((before) => new Map([...before, [id, { refundedAt, refund }]]));
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
                <th scope="col">
                  <span class="unseen">Refund</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {payments.map(({ id, resource, kind, paidAt, amount, refundedAt, refund }) => (
                <tr key={id} data-refunded={refundedAt !== null}>
                  <th scope="row" class="foreign" title={resource}>
                    {pathOf(resource)} {kind === "tip" ? <span class="chip">Tip</span> : null}
                  </th>
                  <td>
                    {moment(paidAt)}
                    {refund === null ? null : <span class="small soft"> · {saidOf(refund, refundedAt)}</span>}
                  </td>
                  <td class="money">
                    {refundedAt === null ? (
                      money(amount, latest.currency)
                    ) : (
                      <s>{money(amount, latest.currency)}</s>
                    )}
                  </td>
                  <td>
                    {refund === null || refund.state === "asked" ? (
                      <Sure
                        about={`${pathOf(resource)}, ${moment(paidAt)}`}
                        words="Give it back"
                        consequence={`${money(amount, latest.currency)} leave your balance for this reader, whose receipt then opens nothing more.`}
                        onError={setError}
                        onYes={() => giveBack(id)}
                      >
                        Refund
                      </Sure>
                    ) : null}
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

type Refund = NonNullable<Page["payments"][number]["refund"]>;

function saidOf({ state, givenBy, reason }: Refund, refundedAt: number | null): string {
  if (state === "asked") return `asked back${reason === null ? "" : `: ${REASONS[reason]}`}, yours to give`;
  if (state === "waiting" || refundedAt === null) return "you give it back: your next settlements pay it";
  const at = moment(refundedAt);
  if (state === "uncollected") return `you gave it back ${at}, nobody fetched it, and it is yours again`;
  if (givenBy === "merchant")
    return state === "granted" ? `you gave it back ${at}, not fetched yet` : `you gave it back ${at}`;
  return reason === null ? `taken back ${at}` : `taken back ${at}: ${REASONS[reason]}`;
}

const REASONS: Readonly<Record<RefundReason, string>> = {
  not_as_described: "not as described",
  already_have_it: "had it already",
  did_not_open: "did not open",
  changed_mind: "changed their mind",
};

/** Newest first; of what is told twice what was told last, which is among the newest. */
function unique(payments: Page["payments"]): Page["payments"] {
  const found = new Map(payments.toReversed().map((payment) => [payment.id, payment]));
  return [...found.values()].sort((a, b) => b.sequence - a.sequence);
}
