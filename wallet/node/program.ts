/**
 * A wallet for programs: the core that the extension has, over a file. Nobody is asked: whoever runs the program says the
 * most that it may pay for one thing. No payment of more is ever handed to a site. One thing is paid at a time.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { TuppenceError } from "../../shared/errors.ts";
import { type Micros, micros } from "../../shared/money.ts";
import type { EntitlementResult, PayResult } from "../../shared/protocol/page.ts";
import { type Clock, createWallet, type PageSender, type StoreTables, type Wallet } from "../core/index.ts";
import { createProviderClient, type ProviderClientOptions } from "../provider/index.ts";
import type { ReadOffer } from "./offer.ts";
import { openFileStore } from "./store.ts";

export interface ProgramWalletOptions {
  /** Made where there is none. It holds money and the recovery phrase. */
  readonly file: string;
  /** The anonymous origin of the provider, for a wallet that is made: later the file says it. */
  readonly provider: string;
  readonly fetch?: ProviderClientOptions["fetch"];
  readonly clock?: Clock;
  /** Hears of bugs in background work. */
  readonly onFault?: (error: unknown) => void;
}

export interface ProgramWallet {
  readonly wallet: Wallet;
  /**
   * Pays what is offered at this address, for a site's own back end to settle (x402). Answers without `paymentSignature` where
   * it was bought before.
   * @throws TuppenceError; `declined` where it costs more than `most`
   */
  pay(offer: object, url: string, most: Micros): Promise<PayResult>;
  /**
   * Pays the provider itself, as for a sealed article; the content key comes with the receipt. What was bought before costs nothing.
   * @throws TuppenceError; `declined` where it costs more than `most`
   */
  payDirect(offer: ReadOffer, url: string, most: Micros): Promise<PayResult>;
  /** What was bought at this address before; undefined where nothing was. `atMs`, of the proof's challenge, is now unless it is said. */
  bought(
    url: string,
    asked: { merchant: string; resource: string },
    atMs?: number,
  ): Promise<EntitlementResult | undefined>;
  /** How a payment ended: a site settles, and only the provider knows. */
  outcome(paymentId: string, url: string): Promise<"pending" | "paid" | "unpaid" | "refunded">;
  /**
   * `wallet.resume`, for so long at most; what is left goes on in the background, as long as the program runs. What a site did
   * not settle comes back when it has expired.
   */
  resume(mostMs: number): Promise<void>;
  /** What is under way is taken up when the file is opened again; whoever waits for it may wait for ever. */
  close(): Promise<void>;
}

/** Of setTimeout. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Every program is one "tab": the wallet counts refusals and questions by it. */
const TAB = 1;

/** @throws WalletFileError */
export function openProgramWallet(options: ProgramWalletOptions): ProgramWallet {
  const store = openFileStore(options.file);
  // First of all transactions, since they come one after the other.
  store.transaction(endQuestions).catch((error: unknown) => options.onFault?.(error));
  const clock = options.clock ?? { nowMs: () => Date.now() };
  /** What the wallet waits for. Once it is closed they keep no program from its end. */
  const timers = new Set<ReturnType<typeof setTimeout>>();
  let isClosed = false;
  /** Of what is being paid just now. */
  let most: Micros | undefined;
  let refusal: unknown;
  let giveUp: (error: unknown) => void = () => undefined;
  let last: Promise<unknown> = Promise.resolve();

  const after = (milliseconds: number, run: () => void): void => {
    if (isClosed) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, milliseconds);
    timers.add(timer);
  };
  const delay = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => after(milliseconds, resolve));
  const tellFault = (error: unknown): void => {
    if (!isClosed) options.onFault?.(error);
  };
  const wallet = createWallet({
    store,
    clock,
    random: { bytes: (count) => new Uint8Array(randomBytes(count)) },
    connect: (anonymousOrigin) =>
      createProviderClient({ anonymousOrigin, fetch: options.fetch ?? fetch, clock }),
    prompt: {
      open: async (approvalId) => {
        // Not here, where the wallet waits for the question to be shown.
        setImmediate(() => void answer(approvalId).catch(giveUp));
      },
    },
    scheduler: {
      delay,
      // As long as the program runs: visits to the account come at their own moments, and not beside payments.
      wakeAt: (timeMs) =>
        after(
          Math.min(timeMs - clock.nowMs(), LONGEST_TIMER_MS),
          () => void wallet.resume().catch(tellFault),
        ),
    },
    defaultProviderOrigin: options.provider,
    onFault: tellFault,
  });

  const answer = async (approvalId: string): Promise<void> => {
    const { approvals } = await wallet.snapshot();
    const question = approvals.find(({ id }) => id === approvalId);
    const isAffordable =
      question?.kind === "article" && most !== undefined && micros(BigInt(question.amount)) <= most;
    const decide = (approve: boolean) =>
      wallet.decide({ kind: "ui", type: "decide", approvalId, approve, beyondMonth: false });
    try {
      await decide(isAffordable);
    } catch (error) {
      // There is not enough, say: the question would stay, and nobody is there to top up.
      refusal = error;
      await decide(false);
    }
  };

  /** One that an allowance paid, or that was begun when more was allowed: kept back, it expires, and its coins come back. */
  const refuseBeyond = async (limit: Micros, paymentId: string): Promise<void> => {
    const { payment } = await wallet.payment({ kind: "ui", type: "payment", paymentId });
    if (micros(BigInt(payment.amount)) > limit) throw new TuppenceError("declined");
  };

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const run = last.then(work);
    last = run.catch(() => undefined);
    return run;
  };

  const askToPay = async (offer: object, url: string, mode: "direct" | "http", limit: Micros) => {
    most = limit;
    refusal = undefined;
    try {
      const paying = wallet.page(
        { v: 1, id: randomUUID(), type: "pay", payload: { offer: { ...offer }, mode } },
        senderAt(url),
      );
      // Where the question cannot be answered at all nobody else will.
      const abandoned = new Promise<never>((_, reject) => {
        giveUp = reject;
      });
      const result = await Promise.race([paying, abandoned]);
      if (result.paymentSignature !== undefined) await refuseBeyond(limit, result.paymentId);
      return result;
    } catch (error) {
      throw refusal ?? error;
    } finally {
      most = undefined;
    }
  };

  return {
    wallet,
    pay: (offer, url, limit) => inTurn(() => askToPay(offer, url, "http", limit)),
    payDirect: ({ whole, terms, amount }, url, limit) =>
      inTurn(async () => {
        // Before it is asked, because an allowance would pay without a question. The wallet can choose no other terms.
        if (amount > limit) throw new TuppenceError("declined");
        return askToPay({ ...whole, accepts: [terms] }, url, "direct", limit);
      }),
    bought: async (url, { merchant, resource }, atMs = clock.nowMs()) => {
      const { pathname, search } = new URL(resource);
      const challenge = `${pathname}${search}#${Math.floor(atMs / 1_000)}`;
      try {
        return await wallet.page(
          { v: 1, id: randomUUID(), type: "entitlement", payload: { merchant, resource, challenge } },
          senderAt(url),
        );
      } catch (error) {
        if (error instanceof TuppenceError) return undefined;
        throw error;
      }
    },
    outcome: async (paymentId, url) => {
      const { state } = await wallet.page(
        { v: 1, id: randomUUID(), type: "status", payload: { paymentId } },
        senderAt(url),
      );
      return state;
    },
    resume: async (mostMs) => {
      const resuming = wallet.resume();
      // Where it fails later nobody waits for it any more.
      resuming.catch(() => undefined);
      await Promise.race([resuming, delay(mostMs)]);
    },
    close: async () => {
      isClosed = true;
      for (const timer of timers) clearTimeout(timer);
      await store.close();
    },
  };
}

/** Of a program that died. Nobody waits for their answers, and they would stand in the way of the next; nothing is reserved for them yet. */
async function endQuestions(tables: StoreTables): Promise<void> {
  for (const state of ["asking", "approved"] as const)
    for (const row of await tables.approvals.where("state", state))
      await tables.approvals.put({ ...row, state: "failed", error: "approval_expired" });
}

function senderAt(url: string): PageSender {
  const { origin } = new URL(url);
  return { origin, url, topOrigin: origin, isTopFrame: true, tabId: TAB, isPrivate: false, clicked: true };
}
