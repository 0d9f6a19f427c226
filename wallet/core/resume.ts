/**
 * Takes up whatever a dead process left. Every step reads its work from the store and changes it there, so that a step
 * that ran already, or runs at the same time elsewhere in this process, does nothing twice.
 */
import { TuppenceError } from "../../shared/errors.ts";
import { type Backup, bringBack } from "./backup/index.ts";
import { ownBackup } from "./backup/rows.ts";
import { type Context, refreshProvider, TRY_AGAIN_AFTER_MS, walletRow } from "./context.ts";
import { refreshKeysets } from "./keysets.ts";
import { goOnLeaving } from "./leaving.ts";
import type { PageParts } from "./pages.ts";
import { isLongOverdue, longestPauseMs } from "./payments.ts";
import { expireQuestions } from "./questions.ts";
import { finishRefund } from "./refunds.ts";
import { WALLET_KEY } from "./rows.ts";
import { refreshTopUps } from "./top-ups.ts";

/** So long after a question or a payment the account is not told of anything that could wait. */
const BESIDE_A_PAYMENT_MS = 600_000;

/** Calls that come while it runs get the same promise: there is nothing that a second run would add. */
export function resumeWallet(parts: PageParts, backup: Backup): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= resume(parts, backup).finally(() => {
      running = undefined;
    });
    return running;
  };
}

async function resume({ context, drives, paying, stock }: PageParts, backup: Backup): Promise<void> {
  if ((await context.store.protection()).isLocked) return;
  if (!(await context.store.read((tables) => tables.wallet.get(WALLET_KEY)))) return;
  await context.store.transaction((tables) => expireQuestions(tables, context.nowMs()));
  const left = await context.store.read(async (tables) => ({
    approved: await tables.approvals.where("state", "approved"),
    open: (
      await Promise.all([
        tables.payments.where("state", "created"),
        tables.payments.where("state", "sent"),
        tables.payments.where("state", "unknown"),
        tables.payments.where("state", "cancelling"),
      ])
    ).flat(),
    refunding: await tables.payments.where("state", "refunding"),
  }));
  const faults: TuppenceError[] = [];
  const attempt = (work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: unknown) => {
      if (!(error instanceof TuppenceError)) throw error;
      faults.push(error);
    });
  // First what readers wait for.
  await Promise.all([
    ...left.approved.map(({ id }) => attempt(paying.payApproved(id))),
    ...left.open.map(({ id, order, state, expiresAt }) => {
      const isWaitedFor = order.mode === "direct" || state === "cancelling";
      if (isWaitedFor && !isLongOverdue({ expiresAt }, context.nowMs())) return attempt(drives.outcome(id));
      drives.start(id);
      return undefined;
    }),
  ]);
  await attempt(refreshProvider(context));
  await attempt(refreshKeysets(context));
  for (const { id } of left.refunding) await attempt(context.serially(() => finishRefund(context, id)));
  await attempt(bringBack(context));
  backup.goOnRestoring();
  // With the account's own token, and so not beside whatever else woke the wallet.
  const quietAgainMs = await quietAgain(context);
  if (quietAgainMs === undefined) await attempt(goOnLeaving(context));
  if ((await stock.nextVisitMs()) <= context.nowMs()) {
    await attempt(refreshTopUps(context));
    await attempt(stock.visitIfDue());
  } else await attempt(stock.tidy());
  await attempt(backup.saveIfDue());
  const nextVisitMs = Math.min(await stock.nextVisitMs(), quietAgainMs ?? Number.POSITIVE_INFINITY);
  await wakeForOpen(context, { hasFaults: faults.length > 0, nextVisitMs });
  context.changed();
}

/** Where something is left of leaving and a question was asked or a payment made lately: when it is not beside it any more. */
async function quietAgain(context: Context): Promise<number | undefined> {
  return context.store.read(async (tables) => {
    const { closure } = await walletRow(tables);
    const deposits = await tables.deposits.where("state", "created");
    if (closure?.state !== "created" && deposits.length === 0) return undefined;
    const [approvals, payments] = await Promise.all([
      tables.approvals.newest(1),
      tables.paymentSummaries.newest(1),
    ]);
    const lastMs = Math.max(...[...approvals, ...payments].map(({ at }) => at), 0);
    const quietMs = lastMs + BESIDE_A_PAYMENT_MS;
    return quietMs > context.nowMs() ? quietMs : undefined;
  });
}

async function wakeForOpen(
  context: Context,
  { hasFaults, nextVisitMs }: { readonly hasFaults: boolean; readonly nextVisitMs: number },
): Promise<void> {
  const expiries = await context.store.read(async (tables) => {
    const questions = await tables.approvals.where("state", "asking");
    const payments = await Promise.all([
      tables.payments.where("state", "sent"),
      tables.payments.where("state", "unknown"),
      tables.payments.where("state", "cancelling"),
    ]);
    return [
      ...questions.map(({ expiresAt }) => expiresAt),
      ...payments
        .flat()
        .map((payment) =>
          isLongOverdue(payment, context.nowMs())
            ? context.nowMs() + longestPauseMs(payment, context.nowMs())
            : payment.expiresAt,
        ),
    ];
  });
  const later = context.nowMs() + Math.max(TRY_AGAIN_AFTER_MS, context.quietMs());
  const { dueAt } = await context.store.read(ownBackup);
  // A backup whose moment passed goes with the next visit.
  const backups = dueAt !== undefined && dueAt > context.nowMs() ? [dueAt] : [];
  const times = [...expiries, nextVisitMs, ...backups].map((time) => Math.max(time, later));
  context.wakeAt(Math.min(...times, ...(hasFaults ? [later] : [])));
}
