import type * as v from "valibot";
import { subtract, ZERO } from "../../../../shared/money.ts";
import { MerchantBalance } from "../../../../shared/protocol/revenue.ts";
import { call } from "../api.ts";
import { useKept, useLoaded } from "../load.ts";
import { money, percent } from "../parts/money.ts";
import { Failure } from "../parts/notice.tsx";
import { moment } from "../parts/time.ts";

type Balance = v.InferOutput<typeof MerchantBalance>;

export function BalanceCard({ merchant, version }: { readonly merchant: string; readonly version: string }) {
  const path = `/api/merchants/${merchant}/balance`;
  const [loaded, reload] = useLoaded(path, () => call("GET", path, MerchantBalance), version);
  const balance = useKept(loaded);
  if (loaded.state === "failed") return <Failure error={loaded.error} onRetry={reload} />;
  return (
    <section class="card form balance" aria-labelledby="balance" aria-busy={balance === undefined}>
      <div>
        <h2 id="balance" class="soft">
          To be paid to you
        </h2>
        <p class="balance-sum money">{balance ? money(balance.toBePaid, balance.currency) : "…"}</p>
        <p>{balance ? sentenceOf(balance) : ""}</p>
      </div>
      {balance ? <Parts {...balance} /> : null}
    </section>
  );
}

function sentenceOf({ nextPayout, currency, payoutMinimum }: Balance): string {
  switch (nextPayout.state) {
    case "expected": {
      const amount = money(nextPayout.amount, currency);
      return nextPayout.atLatest === null
        ? `Next payout: ${amount}, when your provider settles.`
        : `Next payout: ${amount}, by ${moment(nextPayout.atLatest)}.`;
    }
    case "below_minimum":
      return `Paid out from ${money(payoutMinimum, currency)} on: ${money(nextPayout.missing, currency)} to go.`;
    case "nothing":
      return "Nothing is waiting to be paid out.";
  }
}

function Parts({
  currency,
  carriedForward,
  matured,
  maturing,
  fee,
  lateRefunds,
  uncollected,
  feeBasisPoints,
}: Balance) {
  return (
    <dl class="parts">
      <div>
        <dt>Carried over from the last settlement</dt>
        <dd class="money">{money(carriedForward, currency)}</dd>
      </div>
      <div>
        <dt>Payments for good</dt>
        <dd class="money">{money(matured, currency)}</dd>
      </div>
      <div>
        <dt>Payments that readers can still take back</dt>
        <dd class="money">{money(maturing, currency)}</dd>
      </div>
      <div>
        <dt>Fee, {percent(feeBasisPoints)}</dt>
        <dd class="money">{money(subtract(ZERO, fee), currency)}</dd>
      </div>
      {uncollected === ZERO ? null : (
        <div>
          <dt>Given back, and fetched by nobody</dt>
          <dd class="money">{money(uncollected, currency)}</dd>
        </div>
      )}
      {lateRefunds === ZERO ? null : (
        <div>
          <dt>Given back of what was settled before</dt>
          <dd class="money">{money(subtract(ZERO, lateRefunds), currency)}</dd>
        </div>
      )}
    </dl>
  );
}
