/** The section "Spending": asks for what the address names, and again after every change of the wallet. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { PageError } from "../../../../shared/protocol/page.ts";
import {
  type ExportedPage,
  type ExportedPayment,
  type HistoryPage,
  type HistoryPlace,
  type PaymentDetail,
  type SpendingView as SpendingData,
  type UiRequestJson,
  UiResults,
} from "../../../../shared/protocol/ui.ts";
import { openTab } from "../../../platform.ts";
import type { Answer } from "../../shared/ask.ts";
import { type Route, writeRoute } from "../../shared/route.ts";
import { isWebAddress } from "../../shared/site.ts";
import { ask, askAhead } from "../../shared/wallet.ts";
import type { SectionProps } from "../section.ts";
import { csvOf, jsonOf } from "./export.ts";
import {
  addressOf,
  detail,
  historyDays,
  historyRequest,
  overview,
  type Place,
  placeOf,
  spendingRequest,
  withFirstPage,
} from "./state.ts";
import { DetailView, type ExportState, type HistoryList, NoPayment, SpendingView } from "./view.tsx";

/** Found on one page before "show more". */
const PAGE = 50;
const COPIED_SHOWN_MS = 2_000;

/** Asks for what it is going to show. */
export function askAheadForSpending(route: Route, now: number): void {
  const place = placeOf(route, now);
  if (place.paymentId !== null) return;
  askAhead(spendingRequest(place));
  askAhead(historyRequest(place));
}

export function Spending(props: SectionProps) {
  const place = placeOf(props.route, props.now);
  return place.paymentId === null ? (
    <Overview {...props} place={place} />
  ) : (
    <Payment key={place.paymentId} {...props} paymentId={place.paymentId} />
  );
}

function Overview({ snapshot, now, place }: SectionProps & { readonly place: Place }) {
  const [spending, setSpending] = useState<SpendingData | null>(null);
  const [error, setError] = useState<PageError | null>(null);
  const [exporting, setExporting] = useState<ExportState | null>(null);
  const { period, site } = place;

  useEffect(() => {
    let isOver = false;
    void ask(spendingRequest(place), UiResults.spending).then((answer) => {
      if (isOver) return;
      if ("ok" in answer) setSpending(answer.ok);
      else setError(answer.error);
    });
    return () => {
      isOver = true;
    };
  }, [period, site, snapshot]);

  const history = useHistory(place, snapshot, setError);
  const exportAs = async (format: "csv" | "json"): Promise<void> => {
    if (exporting !== null) return;
    const payments: ExportedPayment[] = [];
    let after: HistoryPlace | null = null;
    let total = 0;
    setExporting({ format, done: 0, total: 0 });
    do {
      const answer: Answer<ExportedPage> = await ask(
        { kind: "ui", type: "exportHistory", ...(after === null ? {} : { after }) },
        UiResults.exportHistory,
      );
      if ("error" in answer) {
        setExporting(null);
        return setError(answer.error);
      }
      payments.push(...answer.ok.payments);
      after = answer.ok.next;
      total = answer.ok.total ?? total;
      setExporting({ format, done: payments.length, total });
    } while (after !== null);
    const text = format === "csv" ? csvOf(payments, snapshot.currency) : jsonOf(payments, snapshot.currency);
    save(["tuppence-payments", format].join("."), text, format === "csv" ? "text/csv" : "application/json");
    setExporting(null);
  };

  return (
    <SpendingView
      place={place}
      view={spending && overview(place, spending, snapshot, now)}
      list={history.list}
      exporting={exporting}
      error={error}
      without={{ day: addressOf(place, { day: null }), site: addressOf(place, { site: null }) }}
      actions={{
        search: (search) => replaceAddress(addressOf(place, { search })),
        chooseState: (state) => replaceAddress(addressOf(place, { state: placeState(state) })),
        more: history.more,
        exportAs: (format) => void exportAs(format),
        dismissError: () => setError(null),
      }}
    />
  );
}

/** Typing is not travelling: it leaves no steps in the browser's history. */
function replaceAddress(address: string): void {
  location.replace(address);
}

function placeState(state: string): Place["state"] {
  return placeOf({ section: "", path: [], chosen: { state } }, 0).state;
}

/** The payments of this place, read on and on until a page is full. A wallet that changed is read again from the start. */
function useHistory(
  place: Place,
  snapshot: SectionProps["snapshot"],
  setError: (error: PageError) => void,
): { readonly list: HistoryList | null; readonly more: () => void } {
  const { period, day, site, state, search } = place;
  const [loaded, setLoaded] = useState<{ readonly key: string; readonly page: HistoryPage } | null>(null);
  const [isLooking, setLooking] = useState(false);
  const [looked, setLooked] = useState(0);
  const turn = useRef(0);
  const key = JSON.stringify([search === "" ? [day ?? period] : [], site, state, search]);

  const read = async (
    before: HistoryPage | null,
    merge: (found: HistoryPage) => HistoryPage,
  ): Promise<void> => {
    const mine = ++turn.current;
    setLooking(true);
    setLooked(0);
    let found: HistoryPage = {
      payments: [],
      next: before?.next ?? null,
      looked: 0,
      total: before?.total ?? null,
    };
    do {
      const answer: Answer<HistoryPage> = await ask(historyRequest(place, found.next), UiResults.history);
      if (turn.current !== mine) return;
      if ("error" in answer) {
        setError(answer.error);
        break;
      }
      const { payments, next, total } = answer.ok;
      found = {
        payments: [...found.payments, ...payments],
        next,
        looked: found.looked + answer.ok.looked,
        total: total ?? found.total,
      };
      setLooked(found.looked);
      setLoaded({ key, page: merge(found) });
    } while (found.next !== null && found.payments.length < PAGE);
    setLooking(false);
  };

  useEffect(() => {
    const before = loaded?.key === key ? loaded.page : null;
    void read(null, (found) => (before === null ? found : withFirstPage(before, found)));
  }, [key, snapshot]);

  if (loaded?.key !== key) return { list: null, more: () => undefined };
  const { page } = loaded;
  return {
    list: {
      days: historyDays(page.payments),
      isLooking: isLooking && page.payments.length < PAGE,
      hasMore: page.next !== null,
      looked: looked > PAGE && page.total !== null ? { count: looked, total: page.total } : null,
    },
    more: () => void read(page, (found) => ({ ...found, payments: [...page.payments, ...found.payments] })),
  };
}

function Payment({ snapshot, now, paymentId }: SectionProps & { readonly paymentId: string }) {
  const [loaded, setLoaded] = useState<PaymentDetail | null>(null);
  const [isUnknown, setUnknown] = useState(false);
  const [busy, setBusy] = useState(false);
  const [copied, setCopied] = useState(false);
  const [error, setError] = useState<PageError | null>(null);

  useEffect(() => {
    void ask({ kind: "ui", type: "payment", paymentId }, UiResults.payment).then((answer) => {
      if ("ok" in answer) setLoaded(answer.ok);
      else setUnknown(true);
    });
  }, [paymentId, snapshot]);

  const act = async (request: UiRequestJson, schema: typeof UiResults.refund): Promise<boolean> => {
    setBusy(true);
    setError(null);
    const answer = await ask(request, schema);
    setBusy(false);
    if ("error" in answer) setError(answer.error);
    return "ok" in answer;
  };

  if (isUnknown) return <NoPayment />;
  if (loaded === null) return <div class="spending-waiting" aria-busy="true" />;
  const live = snapshot.payments.find(({ id }) => id === paymentId);
  const view = detail(loaded, live, snapshot.currency, now);
  const token = view.receipt?.token ?? "";
  return (
    <DetailView
      view={view}
      busy={busy}
      copied={copied}
      error={error}
      actions={{
        refund: (reason) =>
          void act({ kind: "ui", type: "refund", paymentId, ...(reason && { reason }) }, UiResults.refund),
        forget: () =>
          void act({ kind: "ui", type: "forgetSite", origin: view.origin }, UiResults.forgetSite).then(
            (isDone) => {
              if (isDone) location.hash = writeRoute("spending");
            },
          ),
        openArticle: (address) => {
          if (isWebAddress(address)) void openTab(address);
        },
        copyReceipt: () =>
          void navigator.clipboard.writeText(token).then(() => {
            setCopied(true);
            setTimeout(() => setCopied(false), COPIED_SHOWN_MS);
          }),
        saveReceipt: () => save(`receipt-${paymentId}.jwt`, token, "application/jwt"),
      }}
    />
  );
}

function save(name: string, text: string, type: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
