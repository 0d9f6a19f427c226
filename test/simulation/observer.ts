/**
 * Sees everything and changes nothing: where each payment stands, for the table of faults, and what must hold at every
 * instant. What must hold at the end is in `invariants.ts`.
 */
import type { Deps } from "../../server/deps.ts";
import { mustNotGoBelowZero } from "../../server/ledger/accounts.ts";
import type { Group } from "../../server/ledger/ledger.ts";
import { outputRecordKey } from "../../server/ledger/outputs.ts";
import { paymentGroupId } from "../../server/payments/index.ts";
import type { AllowanceRow, PaymentRow, PaymentState, SettingsRow } from "../../wallet/core/rows.ts";
import type { Asking, Browser, BrowserWatch } from "./browser.ts";
import { type Coverage, count, type Fault, type Step } from "./coverage.ts";
import type { NetworkWatch, SimulatedAnswer, SimulatedRequest } from "./network.ts";
import type { ProviderWatch } from "./provider.ts";
import type { ReaderWatch } from "./reader.ts";
import { type ShopWatch, SIGNATURE_HEADER } from "./shop.ts";
import type { World } from "./world.ts";

/** What was broken. The text begins with the invariant's name. */
export class Violation extends Error {
  override readonly name = "Violation";
}

interface Followed {
  readonly id: string;
  readonly browser: Browser;
  row: PaymentRow;
  /** Undefined once it is decided in the wallet. */
  step: Step | undefined;
  arrivals: number;
  isCommitted: boolean;
}

/** What a reader has set, as it was stored last. */
interface Budgets {
  readonly sites: Map<string, AllowanceRow>;
  settings: SettingsRow | undefined;
}

export interface Observer {
  readonly coverage: Coverage;
  readonly network: NetworkWatch;
  readonly provider: ProviderWatch;
  readonly browser: Omit<BrowserWatch, "prompts">;
  readonly reader: ReaderWatch;
  readonly shop: ShopWatch;
  /** The first invariant that was broken. */
  broken(): Violation | undefined;
  /** Once the provider stands. */
  watchLedger(truth: Deps): void;
  /** Receipts that were answered, by payment id. */
  readonly receipts: ReadonlyMap<string, string>;
  /** Every payment that any wallet ever stored, by id: whose it is and how it stood last. */
  readonly payments: ReadonlyMap<string, Followed>;
}

const HOLDS_BUDGET: readonly PaymentState[] = [
  "created",
  "sent",
  "unknown",
  "cancelling",
  "paid",
  "refunding",
];
const DECIDED: readonly PaymentState[] = ["paid", "failed", "refunding", "refunded"];

/** Hears of the moments that are worth to be hit by something. */
export interface Aims {
  step(browser: Browser): void;
  refundArrives(): void;
}

export function observe(world: World, aims: Aims): Observer {
  const coverage: Coverage = new Map();
  const payments = new Map<string, Followed>();
  const idOfSealed = new Map<string, string>();
  const receipts = new Map<string, string>();
  const changes = new Map<string, string>();
  const budgets = new Map<string, Budgets>();
  let truth: Deps | undefined;
  let violation: Violation | undefined;

  const broken = (invariant: string, what: string): void => {
    violation ??= new Violation(`${invariant}: ${what}`);
  };
  const reaches = (payment: Followed, step: Step): void => {
    payment.step = step;
    aims.step(payment.browser);
  };
  const meet = (fault: Fault, step: Step | undefined): void => {
    if (step) count(coverage, fault, step);
  };
  const open = (browser?: Browser): Followed[] =>
    [...payments.values()].filter((followed) => followed.step && (!browser || followed.browser === browser));
  const idOf = (request: SimulatedRequest): string | undefined => {
    const { pathname } = new URL(request.url);
    const [, id] = /^\/payments\/([0-9a-f]{32})$/.exec(pathname) ?? [];
    if (id) return id;
    const signature = request.headers[SIGNATURE_HEADER];
    if (signature !== undefined) return idOfSealed.get(ciphertextOf(signature));
    if (pathname !== "/x402/settle") return undefined;
    const { payload } = JSON.parse(request.body ?? "").paymentPayload;
    return payload.paymentId ?? idOfSealed.get(payload.ct);
  };
  const followed = (request: SimulatedRequest): Followed | undefined => {
    const id = idOf(request);
    return id === undefined ? undefined : payments.get(id);
  };
  const isLookup = (request: SimulatedRequest): boolean => request.url.includes("/payments/");

  const network: NetworkWatch = {
    sent: () => undefined,
    arrives: (request) => {
      if (request.url.endsWith("/refund")) aims.refundArrives();
      const payment = followed(request);
      if (!payment || isLookup(request) || request.headers[SIGNATURE_HEADER] !== undefined) return;
      if (payment.arrivals++ > 0)
        meet(
          "the request arrives twice",
          payment.step ?? (payment.row.state === "failed" ? undefined : "answered"),
        );
      const { state } = payment.row;
      if (state === "cancelling" || state === "failed") meet("the request arrives late", "stored");
      if (payment.step === "stored") reaches(payment, "judged");
    },
    answers: (request, answer) => {
      const payment = followed(request);
      const result = resultOf(answer);
      if (!result) return;
      const { id, receipt, change } = result;
      const before = receipts.get(id);
      if (before !== undefined && before !== receipt)
        broken("one receipt", `payment ${id} was answered with another receipt`);
      receipts.set(id, receipt);
      const text = JSON.stringify(change);
      if (changes.has(id) && changes.get(id) !== text)
        broken("one receipt", `payment ${id} was answered with other change`);
      changes.set(id, text);
      if (payment && !payment.isCommitted)
        broken("commit, then answer", `payment ${id} was answered and not committed`);
    },
    requestLost: (request) => meet("the request is lost or cut", followed(request)?.step),
    answerLost: (request) => {
      if (!isLookup(request)) meet("the answer is lost", followed(request)?.step);
    },
    gatewayAnswers: (request) => meet("overloaded, or unreadable", followed(request)?.step),
    delivered: (request, answer) => {
      const payment = followed(request);
      // What a site is answered, the wallet does not know yet.
      const isTheWallets = payment?.row.order.mode === "direct" || isLookup(request);
      if (payment?.step === "committed" && isTheWallets && resultOf(answer)) reaches(payment, "answered");
    },
  };

  const provider: ProviderWatch = {
    committed: (group) => {
      const payment = paymentOf(group);
      if (payment) {
        payment.isCommitted = true;
        if (payment.step === "judged" || payment.step === "stored") reaches(payment, "committed");
      }
      void checkBalances();
    },
    signs: (outputs) => {
      if (!truth) return;
      const keys = outputs.map(({ B_ }) => outputRecordKey(B_));
      truth.ledger.records(keys).then((records) => {
        for (const { B_, amount } of outputs) {
          const record = records.get(outputRecordKey(B_));
          if (record === undefined) return broken("commit, then sign", `${B_} was signed and not committed`);
          if (JSON.parse(record).amount !== amount.toString())
            return broken("signed once", `${B_} was signed for ${amount}, ${record} was committed`);
        }
      }, fail);
    },
    judgingFails: (group) => meet("overloaded, or unreadable", paymentOf(group)?.step),
    fails: (line) => broken("no bug", line.slice(0, 2_000)),
    dies: () => {
      for (const { step } of open()) meet("the provider is killed", step);
    },
  };
  const fail = (error: unknown): void => broken("no bug", String(error));
  const paymentOf = (group: Group): Followed | undefined => {
    const id = group.transfers[0]?.reference ?? "";
    return group.id === paymentGroupId(id) ? payments.get(id) : undefined;
  };
  const checkBalances = async (): Promise<void> => {
    if (!truth) return;
    const balances = await truth.ledger.balances("");
    let sum = 0n;
    for (const [account, balance] of balances) {
      sum += balance;
      // Of readers' accounts the audit at the end knows which ones were charged back.
      if (balance < 0n && mustNotGoBelowZero(account) && !account.startsWith("reader:"))
        broken("no account below zero", `${account} holds ${balance}`);
      if (balance !== 0n && account.startsWith("clearing:") && account !== "clearing:payout")
        broken("clearing is zero", `${account} holds ${balance}`);
    }
    if (sum !== 0n) broken("sum zero", `all balances add up to ${sum}`);
  };

  const budgetsOf = (browser: Browser): Budgets => {
    const known = budgets.get(browser.name);
    if (known) return known;
    const made: Budgets = { sites: new Map(), settings: undefined };
    budgets.set(browser.name, made);
    return made;
  };
  /** Judged when the payment is stored: the reader may set another limit later. */
  const checkBudgets = (browser: Browser, row: PaymentRow): void => {
    const { sites, settings } = budgetsOf(browser);
    if (settings?.paused) broken("paused", `${browser.name} pays ${row.id}`);
    const held = [...payments.values()]
      .filter((payment) => payment.browser === browser && HOLDS_BUDGET.includes(payment.row.state))
      .map((payment) => payment.row);
    const sumOf = (rows: readonly PaymentRow[]): bigint => rows.reduce((sum, { amount }) => sum + amount, 0n);
    const keeps = (limit: bigint | undefined, sum: bigint, what: string): void => {
      if (limit !== undefined && sum > limit)
        broken("budgets", `${browser.name}: ${what} of ${limit}, and payments of ${sum}`);
    };
    const month = row.day.slice(0, 7);
    const inMonth = held.filter(({ day }) => day.startsWith(month));
    keeps(settings?.monthlyLimit, sumOf(inMonth), "a monthly limit");
    if (!row.fromAllowance) return;
    const unasked = inMonth.filter(({ origin, fromAllowance }) => origin === row.origin && fromAllowance);
    const site = sites.get(row.origin);
    keeps(site?.perPayment, row.amount, "a limit for one payment");
    keeps(site?.perDay, sumOf(unasked.filter(({ day }) => day === row.day)), "a day's limit");
    keeps(site?.perMonth, sumOf(unasked), "a month's limit");
  };
  const notePayment = (browser: Browser, row: PaymentRow): void => {
    const known = payments.get(row.id);
    if (!known) {
      payments.set(row.id, { id: row.id, browser, row, step: "stored", arrivals: 0, isCommitted: false });
      aims.step(browser);
      checkBudgets(browser, row);
      void noteRivals(browser, row);
    } else {
      if (known.browser !== browser) broken("own ids", `payment ${row.id} is in two wallets`);
      if (row.state === "cancelling" && known.step === "judged") meet("the request arrives late", "judged");
      const wasOver = world.nowMs() + browser.skewMs >= row.expiresAt;
      if (row.state === "paid" && known.row.state !== "paid" && known.row.state !== "refunding" && wasOver)
        meet("the request arrives late", "committed");
      known.row = row;
      if (DECIDED.includes(row.state)) known.step = undefined;
    }
    if (row.order.mode === "http" && row.body !== "") idOfSealed.set(ciphertextOf(row.body), row.id);
  };
  /** Another tab that asks at the same time and finds less than it needs. */
  const noteRivals = async (browser: Browser, row: PaymentRow): Promise<void> => {
    const rivals = [...browser.askings].filter(
      ({ type, resource }) =>
        type === "pay" && resource !== row.order.resourceUrl && !isStored(browser, resource),
    );
    if (rivals.length === 0) return;
    const free = await browser.store.read((tables) => tables.coins.where("state", "free"));
    const left = free.reduce((sum, { amount }) => sum + amount, 0n);
    if (rivals.some(({ price }) => price > left)) meet("two tabs, one coin left", "not reserved");
  };
  const isStored = (browser: Browser, resource: string): boolean =>
    open(browser).some(({ row }) => row.order.resourceUrl === resource);
  const unstored = (browser: Browser): Asking[] =>
    [...browser.askings].filter(
      ({ type, resource }) => (type === "pay" || type === "tip") && !isStored(browser, resource),
    );

  return {
    coverage,
    network,
    provider,
    browser: {
      written: (browser, written) => {
        for (const row of written.allowances) budgetsOf(browser).sites.set(row.origin, row);
        for (const row of written.settings) budgetsOf(browser).settings = row;
        for (const row of written.payments) notePayment(browser, row);
      },
      dies: (browser, isWholeBrowser) => {
        const fault = isWholeBrowser ? "the browser ends" : "the wallet's worker dies";
        for (const { step } of open(browser)) meet(fault, step);
        for (const _ of unstored(browser)) meet(fault, "not reserved");
      },
      asks: () => undefined,
      fails: (browser, error) =>
        broken("no bug", `${browser.name}: ${error instanceof Error ? error.stack : String(error)}`),
    },
    reader: {
      opens: (browser, _, article, { receipt, contentKey }) => {
        if (article.contentKey !== undefined && contentKey !== article.contentKey)
          broken("paid means delivered", `${browser.name} paid for ${article.resource} and got no key to it`);
        if (receipt === undefined || ![...receipts.values()].includes(receipt))
          broken("one receipt", `${browser.name} shows ${article.resource} with a receipt that nobody gave`);
      },
      doesNotOpen: () => meet("the article does not open", "answered"),
      clicksAgain: (browser, resource) => {
        if ([...unstored(browser)].some((asking) => asking.resource === resource))
          return meet("the reader clicks twice", "not reserved");
        const own = [...payments.values()].filter(
          (payment) => payment.browser === browser && payment.row.order.resourceUrl === resource,
        );
        const underWay = own.find(({ step }) => step);
        if (underWay) meet("the reader clicks twice", underWay.step);
        else if (own.some(({ row }) => row.state === "paid")) meet("the reader clicks twice", "answered");
      },
    },
    shop: {
      keeps: (signature) =>
        meet("the site never settles", payments.get(idOfSealed.get(ciphertextOf(signature)) ?? "")?.step),
      settledSilently: (signature) =>
        meet("the site never settles", payments.get(idOfSealed.get(ciphertextOf(signature)) ?? "")?.step),
    },
    broken: () => violation,
    watchLedger: (deps) => {
      truth = deps;
    },
    receipts,
    payments,
  };
}

function ciphertextOf(signature: string): string {
  return JSON.parse(Buffer.from(signature, "base64").toString()).payload.ct;
}

/** Of an answer that says that a payment was made. */
function resultOf({ status, text, isCut }: SimulatedAnswer) {
  if (status !== 200 || isCut || !text.includes('"receipt"')) return undefined;
  try {
    const answer = JSON.parse(text);
    const { receipt, change } = answer.extensions.tuppence;
    return { id: String(answer.transaction), receipt: String(receipt), change: change ?? [] };
  } catch {
    return undefined;
  }
}
