/**
 * A page, the real content script, the real router of the background and the real wallet core in one process. What is
 * not real: the DOM's events, the browser's calls, and a provider that answers from memory.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import * as v from "valibot";
import { isErrorCode, TuppenceError } from "../../../shared/errors.ts";
import { micros } from "../../../shared/money.ts";
import { PageResponse } from "../../../shared/protocol/page.ts";
import type { TopUpResponse } from "../../../shared/protocol/provider.ts";
import { UiResponse } from "../../../shared/protocol/ui.ts";
import { type PaymentRow, WALLET_KEY } from "../../../wallet/core/rows.ts";
import { makeTestWallet, SITE, type TestWallet } from "../../../wallet/core/testing.ts";
import { openFakePage } from "../../support/fake-page.ts";
import { EXTENSION_ID } from "../../support/fake-platform.ts";
import { OPEN_LOCK } from "../../support/open-lock.ts";
import { browser } from "./platform.ts";

/** A wallet is thrown away after so many messages: its store in memory is to be no leak. */
const MESSAGES_OF_A_WALLET = 60;
/** An answer that never comes is a fault. Nothing here takes long. */
const HANGS_AFTER_MILLISECONDS = 60_000;
const BETWEEN_MESSAGES_MILLISECONDS = 61_000;
const PAUSES_END_MILLISECONDS = 3_600_001;
const COINS = [...Array<number>(12).fill(50_000), ...Array<number>(12).fill(20_000), 10_000, 5_000, 1_000];
const CLOSED: readonly PaymentRow["state"][] = ["paid", "failed", "refunded"];

export const ARTICLE = `${SITE}/article`;
export const FRAME = {
  id: EXTENSION_ID,
  url: ARTICLE,
  origin: SITE,
  frameId: 0,
  tab: { id: 1, url: ARTICLE, incognito: false },
};
const OWN = `chrome-extension://${EXTENSION_ID}`;
export const POPUP = { id: EXTENSION_ID, url: `${OWN}/extension/ui/popup/index.html`, origin: OWN };

/** What the reader does with a question, and the provider with a payment. */
export interface Others {
  readonly decision: "approve" | "allow" | "decline";
  readonly settles: boolean;
  readonly clicked: boolean;
  readonly sender: number;
}

export interface Answered {
  /** Undefined: silence. */
  readonly answer: unknown;
  readonly seen: string;
}

export type PageWorld = Awaited<ReturnType<typeof openPageWorld>>;

export async function openPageWorld() {
  const page = openFakePage();
  const faults: unknown[] = [];
  Object.assign(globalThis, { reportError: (error: unknown) => void faults.push(error) });
  const { startBridge } = await import("../../../extension/content/bridge.ts");
  const { answer: route } = await import("../../../extension/background/router.ts");
  const bridge = startBridge();
  const senders: readonly object[] = [
    FRAME,
    { ...FRAME, tab: { ...FRAME.tab, incognito: true } },
    { ...FRAME, frameId: 3, tab: { ...FRAME.tab, url: "https://other.example/" } },
    { ...FRAME, origin: "null" },
    { ...FRAME, origin: "https://other.example", url: "https://other.example/x" },
  ];
  let reader: TestWallet = await freshReader();
  let messages = 0;

  async function freshReader(): Promise<TestWallet> {
    const topUps = new Map<string, TopUpResponse>();
    const made = await makeTestWallet(COINS, {
      createTopUp: async (_, { id, amount, gateway }) => {
        const checkoutUrl = `https://accounts.pay.example/checkout/${gateway}/${id}`;
        const topUp: TopUpResponse = {
          id,
          amount: micros(BigInt(amount)),
          gateway,
          state: "open",
          checkoutUrl,
        };
        topUps.set(id, topUp);
        return topUp;
      },
      topUp: async (_, id) => topUps.get(id) ?? Promise.reject(new TuppenceError("topup_unknown")),
    });
    // A site that was dealt with: there the wallet answers without a click.
    const bought = made.ask();
    await until(made, bought, { decision: "allow" });
    return made;
  }

  function background(wallet: TestWallet["wallet"]) {
    return {
      wallet,
      lock: OPEN_LOCK,
      topUps: { watch: async () => undefined },
      testProvider: undefined,
      underWay: new Set<unknown>(),
      setTestMode: async () => undefined,
    };
  }

  /** Answers questions as they come, and lets pass what the wallet waits for. */
  async function until<T>(
    of: TestWallet,
    pending: Promise<T>,
    { decision }: Pick<Others, "decision">,
  ): Promise<T> {
    let isDone = false;
    const end = () => {
      isDone = true;
    };
    pending.then(end, end);
    const deadline = performance.now() + HANGS_AFTER_MILLISECONDS;
    while (!isDone) {
      await nextTurn();
      if (performance.now() > deadline) throw new Error("there was no answer");
      for (const pause of of.pauses.splice(0)) pause.end();
      const asking = isDone ? [] : await of.store.read((tables) => tables.approvals.where("state", "asking"));
      for (const { id } of asking) await decide(of, id, decision);
    }
    return pending;
  }

  /** Nobody waits any more for what was asked in the toolbar. */
  async function declineAll(of: TestWallet): Promise<void> {
    const asking = await of.store.read((tables) => tables.approvals.where("state", "asking"));
    for (const { id } of asking) await decide(of, id, "decline");
    if (asking.length > 0) of.clock.nowMs += PAUSES_END_MILLISECONDS;
  }

  async function decide(of: TestWallet, approvalId: string, decision: Others["decision"]): Promise<void> {
    const answer = (approve: boolean) =>
      of.wallet.decide({
        kind: "ui",
        type: "decide",
        approvalId,
        approve,
        ...(decision === "allow" ? { allowance: micros(1_000_000) } : {}),
      });
    // What cannot be afforded stays open until the reader gives up; what is too old ends by itself.
    await answer(decision !== "decline")
      .catch(onlyRefusals(() => answer(false)))
      .catch(onlyRefusals(async () => undefined));
  }

  /** One message, by whatever way, with everything that must hold of the wallet afterwards. */
  async function exchange(others: Others, send: (of: TestWallet) => Promise<unknown>): Promise<Answered> {
    if (++messages % MESSAGES_OF_A_WALLET === 0) reader = await freshReader();
    const of = reader;
    of.provider.settleWith((_, usual) => (others.settles ? usual() : Promise.resolve(REFUSED)));
    await declineAll(of);
    const before = await holdings(of);
    const answer = await until(of, send(of), others);
    of.clock.nowMs += others.decision === "decline" ? PAUSES_END_MILLISECONDS : BETWEEN_MESSAGES_MILLISECONDS;
    const after = await holdings(of);
    for (const fault of [...faults.splice(0), ...of.faults.splice(0)]) throw fault;
    const code = codeOf(answer);
    if (after.stray.length > 0) throw new Error(`coins are reserved for nothing: ${after.stray.join(", ")}`);
    if (code !== undefined || answer === null) refuseChanges(before, after);
    return { answer, seen: code ?? (answer === null || answer === undefined ? "silence" : "ok") };
  }

  return {
    page,
    reader: () => reader,
    browser,
    /** As a page does: an event for the content script. */
    fromPage: (detail: unknown, others: Others): Promise<Answered> =>
      exchange(others, async (of) => {
        let sent: Promise<unknown> | undefined;
        page.sent.length = 0;
        page.responses.length = 0;
        page.answer = (message) => {
          // Twice would be a message that died, and none may.
          if (sent) return Promise.resolve(null);
          const travelled: unknown = structuredClone(message);
          sent = Promise.resolve(
            route(async () => background(of.wallet), travelled, senders[others.sender % senders.length]),
          );
          return sent.catch(() => null);
        };
        bridge.clickedAt = others.clicked ? performance.now() : Number.NEGATIVE_INFINITY;
        page.request(detail);
        const answer = (await sent) ?? null;
        await nextTurn();
        if (typeof answer === "string") judgePageResponse(answer, detail);
        if (JSON.stringify(page.responses) !== JSON.stringify(answer === null ? [] : [answer]))
          throw new Error(`the page heard ${JSON.stringify(page.responses)}`);
        return answer;
      }),
    /** As anything does that can send messages within the extension. */
    toBackground: (message: unknown, sender: unknown, others: Others): Promise<Answered> =>
      exchange(others, async (of) => {
        const answer = (await route(async () => background(of.wallet), message, sender)) ?? null;
        if (typeof answer === "string") judgePageResponse(answer, undefined);
        else if (answer !== null) v.parse(UiResponse, answer);
        return answer;
      }),
    /** For what can be asked only while there is none. */
    async withoutWallet(message: unknown, others: Others): Promise<Answered> {
      reader = await freshReader();
      await reader.store.transaction((tables) => tables.wallet.remove(WALLET_KEY));
      const wallet = reader.restarted();
      const answered = await exchange(others, async () =>
        v.parse(UiResponse, await route(async () => background(wallet), message, POPUP)),
      );
      messages = MESSAGES_OF_A_WALLET - 1;
      return answered;
    },
  };
}

const REFUSED = {
  success: false,
  errorReason: "merchant_unknown",
  transaction: "",
  network: "tuppence:usd",
} as const;

function onlyRefusals(next: () => Promise<void>): (error: unknown) => Promise<void> {
  return (error) => (error instanceof TuppenceError ? next() : Promise.reject(error));
}

interface Holdings {
  /** Worth of the free coins. */
  readonly free: bigint;
  /** Payments under way. */
  readonly open: ReadonlySet<string>;
  /** What counts as spent, by site and period. */
  readonly budgets: ReadonlyMap<string, bigint>;
  /** Secrets. */
  readonly stray: readonly string[];
}

/** What a refused message must leave as it was, and coins that belong to nothing that is under way. */
async function holdings({ store }: TestWallet): Promise<Holdings> {
  return store.read(async (tables) => {
    const [coins, payments, swaps, spending] = await Promise.all([
      tables.coins.all(),
      tables.payments.all(),
      tables.swaps.all(),
      tables.spending.all(),
    ]);
    const open = payments.filter(({ state }) => !CLOSED.includes(state));
    const holders = new Set([...open.map(({ id }) => id), ...swaps.map(({ id }) => id)]);
    const free = coins.filter(({ state }) => state === "free").reduce((sum, { amount }) => sum + amount, 0n);
    return {
      free,
      open: new Set(open.map(({ id }) => id)),
      budgets: new Map(spending.map(({ key, spent }) => [key, spent])),
      stray: coins
        .filter(({ state, holder }) => state === "reserved" && !holders.has(holder ?? ""))
        .map(({ secret }) => secret),
    };
  });
}

/** Earlier payments may end meanwhile, which only gives coins back. */
function refuseChanges(before: Holdings, after: Holdings): void {
  const begun = [...after.open].filter((id) => !before.open.has(id));
  if (begun.length > 0) throw new Error(`was refused, and the payment ${begun.join(", ")} is under way`);
  if (after.free < before.free)
    throw new Error(`was refused, and ${before.free - after.free} of the coins are not free any more`);
  for (const [key, spent] of after.budgets) {
    if (spent > (before.budgets.get(key) ?? 0n))
      throw new Error(`was refused, and something was taken from the budget ${key}`);
  }
}

function judgePageResponse(text: string, detail: unknown): void {
  const response = v.parse(PageResponse, JSON.parse(text));
  if (typeof detail !== "string") return;
  const asked = v.safeParse(v.object({ id: v.string() }), JSON.parse(detail));
  if (!asked.success || asked.output.id !== response.id)
    throw new Error(`an answer under the id ${response.id} to ${detail.slice(0, 200)}`);
}

/** The code of a refusal. Throws for one that is none of the closed set, and for a bug. */
function codeOf(answer: unknown): string | undefined {
  const decoded = v.safeParse(
    v.object({ error: v.object({ code: v.string() }) }),
    typeof answer === "string" ? JSON.parse(answer) : answer,
  );
  if (!decoded.success) return undefined;
  const { code } = decoded.output.error;
  if (!isErrorCode(code) || code === "internal") throw new Error(`answered with the code ${code}`);
  return code;
}
