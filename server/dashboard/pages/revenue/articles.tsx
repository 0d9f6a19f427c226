import { useState } from "preact/hooks";
import { subtract } from "../../../../shared/money.ts";
import { MAX_ARTICLES, RevenueByArticle, type RevenueQuery } from "../../../../shared/protocol/revenue.ts";
import { call } from "../api.ts";
import { useKept, useLoaded } from "../load.ts";
import { pathOf } from "../parts/address.ts";
import { Button } from "../parts/button.tsx";
import { money } from "../parts/money.ts";
import { Failure } from "../parts/notice.tsx";
import type { Range } from "./range.ts";

type Sort = RevenueQuery["sort"];
const FIRST_ARTICLES = 10;
const COLUMNS: readonly { readonly sort: Sort; readonly words: string }[] = [
  { sort: "payments", words: "Payments" },
  { sort: "refunds", words: "Given back" },
  { sort: "net", words: "Revenue" },
];

export interface ArticlesProps {
  readonly merchant: string;
  readonly range: Range;
  /** Changes when something was paid. */
  readonly version: string;
}

/** The provider sorts, because it knows them all. */
export function Articles({ merchant, range, version }: ArticlesProps) {
  const [sort, setSort] = useState<Sort>("net");
  const [limit, setLimit] = useState(FIRST_ARTICLES);
  const path = `/api/merchants/${merchant}/revenue?by=article&from=${range.from}&to=${range.to}&sort=${sort}&limit=${limit}`;
  const [loaded, reload] = useLoaded(path, () => call("GET", path, RevenueByArticle), version);
  const found = useKept(loaded);
  return (
    <section class="card form" aria-labelledby="articles">
      <h2 id="articles">By article</h2>
      {loaded.state === "failed" ? <Failure error={loaded.error} onRetry={reload} /> : null}
      {found?.articles.length === 0 ? <p class="soft">Nothing was paid in this time.</p> : null}
      {found && found.articles.length > 0 ? (
        <div class="table-frame">
          <table class="table" aria-labelledby="articles">
            <thead>
              <tr>
                <th scope="col">Address</th>
                {COLUMNS.map((column) => (
                  <th key={column.sort} scope="col" aria-sort={column.sort === sort ? "descending" : "none"}>
                    <button type="button" class="table-sort" onClick={() => setSort(column.sort)}>
                      {column.words}
                    </button>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {found.articles.map(({ resource, kind, paymentCount, payments, refundCount, refunds }) => (
                <tr key={`${kind} ${resource}`}>
                  <th scope="row" class="foreign" title={resource}>
                    {pathOf(resource)} {kind === "tip" ? <span class="chip">Tips</span> : null}
                  </th>
                  <td>{paymentCount.toLocaleString()}</td>
                  <td>{refundCount.toLocaleString()}</td>
                  <td class="money">{money(subtract(payments, refunds), found.currency)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {found && found.articleCount > found.articles.length && limit < MAX_ARTICLES ? (
        <div>
          <Button look="plain" onPress={() => setLimit(MAX_ARTICLES)}>
            {`Show up to ${MAX_ARTICLES} of ${found.articleCount.toLocaleString()}`}
          </Button>
        </div>
      ) : null}
    </section>
  );
}
