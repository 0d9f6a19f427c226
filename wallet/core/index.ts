/** The wallet core. `createWallet(ports)` gives the `Wallet` of `wallet.ts`. */
import { TuppenceError } from "../../shared/errors.ts";
import { micros } from "../../shared/money.ts";
import type { PageRequestOf, PageRequestType, PageResults } from "../../shared/protocol/page.ts";
import { decide, isAsking } from "./approvals.ts";
import { keepBackup } from "./backup/index.ts";
import { setAllowance } from "./budgets.ts";
import { isBusy } from "./busy.ts";
import { type Context, createContext } from "./context.ts";
import { createWalletRow } from "./creation.ts";
import { keepEntitlements } from "./entitlements.ts";
import { exportHistory, readHistory, readPayment, readSpending } from "./history.ts";
import { closeAccount, depositAll } from "./leaving.ts";
import { answerPage, hasAsked, type PageParts, showQuestion } from "./pages.ts";
import { preparePaying } from "./paying.ts";
import { drivePayments } from "./payments.ts";
import { confirmPhrase, putOffPhrase } from "./phrase.ts";
import type { WalletPorts } from "./ports.ts";
import { preparePayments } from "./prepared.ts";
import { refundPayment } from "./refunds.ts";
import { resumeWallet } from "./resume.ts";
import { WALLET_KEY } from "./rows.ts";
import { setMonthlyLimit, setPaused } from "./settings.ts";
import { forgetSite, isKnown, knownOrigins } from "./sites.ts";
import { currencyOf, takeSnapshot } from "./snapshot.ts";
import { keepStock } from "./stock.ts";
import { judgeTip, startTip } from "./tips.ts";
import { refreshTopUps, topUp } from "./top-ups.ts";
import type { PageSender, Wallet } from "./wallet.ts";

export { createMemoryStore } from "./memory-store.ts";
export type * from "./ports.ts";
export { summaryOf } from "./rows.ts";
export { upgradeFromFirst } from "./upgrade.ts";
export type { PageSender, Wallet } from "./wallet.ts";

export function createWallet(ports: WalletPorts): Wallet {
  const context = createContext(ports);
  const preparation = preparePayments(context);
  const drives = drivePayments(context);
  const stock = keepStock(context);
  const paying = preparePaying({ context, preparation, drives, stock });
  const entitlements = keepEntitlements(context);
  const parts: PageParts = { context, drives, preparation, paying, stock, entitlements };
  const backup = keepBackup(context, () => preparation.reset());
  const resume = resumeWallet(parts, backup);

  return {
    // Each kind of request has its own kind of answer, which a generic function cannot say to the compiler.
    page: async <T extends PageRequestType>(request: PageRequestOf<T>, sender: PageSender) =>
      (await answerPage(parts, request, sender)) as PageResults[T],
    mayAnswer: async (sender) =>
      sender.clicked || (await mayKnow(context, sender).catch(unlessLocked(false))),
    snapshot: () => takeSnapshot(context),
    onChange: (listener) => context.onChange(listener),
    create: async (request) => {
      const made = await createWalletRow(context, request);
      preparation.reset();
      context.inBackground(resume);
      return made;
    },
    forget: () => {
      context.reopen();
      preparation.reset();
      context.changed();
    },
    showPhrase: async () => ({ phrase: (await context.open()).row.phrase }),
    confirmPhrase: (request) => confirmPhrase(context, request),
    putOffPhrase: async () => {
      const { balance } = await takeSnapshot(context);
      await putOffPhrase(context, micros(BigInt(balance.total)));
    },
    topUp: ({ amount }) => topUp(context, amount),
    refreshTopUps: async () => {
      if ((await context.store.protection()).isLocked) return;
      if (!(await refreshTopUps(context))) return;
      await stock.restock();
      await backup.saveIfDue();
    },
    decide: (request) => decide(context, paying, request),
    startTip: (offer, sender) => startTip(parts, offer, sender),
    tipSite: async (offer, sender) => {
      const { origin, merchantName } = await judgeTip(context, offer, sender);
      return { origin, merchantName };
    },
    isAsking: (approvalId) => isAsking(context, approvalId),
    showQuestion: async ({ approvalId }) => {
      const approval = await context.store.read((tables) => tables.approvals.get(approvalId));
      if (approval?.state !== "asking") throw new TuppenceError("approval_expired");
      await showQuestion(context, approval);
    },
    saveBackup: () => backup.save(),
    takeOver: async () => {
      await context.updateWallet((row) => ({ ...row, recovery: "pending", otherDevices: "gone" }));
      // One that runs already may be past where it would begin.
      context.inBackground(async () => {
        await resume();
        await resume();
      });
    },
    depositAll: () => depositAll(context),
    // Not while a backup is written, which would be all that is left of it.
    closeAccount: () =>
      backup.alone(async () => ({ returned: (await closeAccount(context)).returned.toString() })),
    refund: async ({ paymentId, reason }) => {
      await refundPayment(context, paymentId, "reader", reason);
    },
    setAllowance: (request) => setAllowance(context, request),
    removeAllowance: async ({ origin }) => {
      await context.store.transaction((tables) => tables.allowances.remove(origin));
      context.changed();
    },
    setPaused: (request) => setPaused(context, request),
    setMonthlyLimit: (request) => setMonthlyLimit(context, request),
    forgetSite: ({ origin }) => forgetSite(context, origin),
    history: (request) => readHistory(context, request),
    spending: (request) => readSpending(context, request),
    payment: ({ paymentId }) => readPayment(context, paymentId),
    exportHistory: (request) => exportHistory(context, request),
    isBusy: () => isBusy(context).catch(unlessLocked(false)),
    knownOrigins: () => knownOrigins(context),
    provider: async () => {
      const row = await context.store
        .read((tables) => tables.wallet.get(WALLET_KEY))
        .catch(unlessLocked(undefined));
      if (!row) return undefined;
      const counterpart = row.info?.counterpart;
      return {
        origin: row.providerOrigin,
        currency: currencyOf(row),
        ...(counterpart === undefined ? {} : { counterpart }),
      };
    },
    resume,
  };
}

async function mayKnow(context: Context, sender: PageSender): Promise<boolean> {
  return (!sender.isPrivate && (await isKnown(context, sender.origin))) || hasAsked(context, sender);
}

/** A locked wallet knows nothing, and keeps silent. */
function unlessLocked<T>(otherwise: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof TuppenceError && error.code === "wallet_locked") return otherwise;
    throw error;
  };
}
