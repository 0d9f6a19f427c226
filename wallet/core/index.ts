/** The wallet core. `createWallet(ports)` gives the `Wallet` of `wallet.ts`. */
import { TuppenceError } from "../../shared/errors.ts";
import type { PageRequestOf, PageRequestType, PageResults } from "../../shared/protocol/page.ts";
import { decide } from "./approvals.ts";
import { keepBackup } from "./backup/index.ts";
import { createContext } from "./context.ts";
import { createWalletRow } from "./creation.ts";
import { keepEntitlements } from "./entitlements.ts";
import { answerPage, hasAsked, type PageParts } from "./pages.ts";
import { preparePaying } from "./paying.ts";
import { drivePayments } from "./payments.ts";
import type { WalletPorts } from "./ports.ts";
import { preparePayments } from "./prepared.ts";
import { refundPayment } from "./refunds.ts";
import { resumeWallet } from "./resume.ts";
import { WALLET_KEY } from "./rows.ts";
import { forgetSite, isKnown, knownOrigins } from "./sites.ts";
import { takeSnapshot } from "./snapshot.ts";
import { keepStock } from "./stock.ts";
import { judgeTip, startTip } from "./tips.ts";
import { refreshTopUps, topUp } from "./top-ups.ts";
import type { PageSender, Wallet } from "./wallet.ts";

export { createMemoryStore } from "./memory-store.ts";
export type * from "./ports.ts";
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
      sender.clicked ||
      (!sender.isPrivate && (await isKnown(context, sender.origin))) ||
      hasAsked(context, sender),
    snapshot: () => takeSnapshot(context),
    onChange: (listener) => context.onChange(listener),
    create: async (request) => {
      const made = await createWalletRow(context, request);
      preparation.reset();
      context.inBackground(resume);
      return made;
    },
    showPhrase: async () => ({ phrase: (await context.open()).row.phrase }),
    confirmPhrase: async () => {
      await context.updateWallet((row) => ({ ...row, phraseConfirmed: true }));
    },
    topUp: ({ amount }) => topUp(context, amount),
    refreshTopUps: async () => {
      if (await refreshTopUps(context)) await stock.restock();
    },
    decide: (request) => decide(context, paying, request),
    startTip: (offer, sender) => startTip(parts, offer, sender),
    tipSite: async (offer, sender) => {
      const order = await judgeTip(context, offer, sender).catch(noGenuineTip);
      return order && { origin: order.origin, merchantName: order.merchantName };
    },
    saveBackup: () => backup.save(),
    takeOver: async () => {
      await context.updateWallet((row) => ({ ...row, recovery: "pending", otherDevices: "gone" }));
      context.inBackground(resume);
    },
    refund: async ({ paymentId }) => {
      await refundPayment(context, paymentId);
    },
    removeAllowance: async ({ origin }) => {
      await context.store.transaction((tables) => tables.allowances.remove(origin));
      context.changed();
    },
    forgetSite: ({ origin }) => forgetSite(context, origin),
    knownOrigins: () => knownOrigins(context),
    providerOrigin: async () =>
      (await context.store.read((tables) => tables.wallet.get(WALLET_KEY)))?.providerOrigin,
    resume,
  };
}

/** A page without a genuine tip jar is nothing to tell the reader about. */
function noGenuineTip(error: unknown): undefined {
  if (error instanceof TuppenceError) return undefined;
  throw error;
}
