/** The rows of questions: put, kept for a top-up, ended. Their states stand in `approvals.ts`. */
import type { StoreTables } from "./ports.ts";
import type { ApprovalRow, Order } from "./rows.ts";

/** How long a question stands. */
const APPROVAL_MS = 600_000;
/** How long an offer is kept that waits for a top-up. */
export const KEPT_OFFER_MS = 86_400_000;

export interface Question {
  readonly id: string;
  readonly order: Order;
  readonly tabId: number;
  readonly requestKey: string;
  readonly isShort: boolean;
  readonly nowMs: number;
}

export async function putQuestion(tables: StoreTables, question: Question): Promise<ApprovalRow> {
  const { id, order, tabId, requestKey, nowMs } = question;
  const row: ApprovalRow = {
    id,
    state: "asking",
    order,
    tabId,
    requestKey,
    at: nowMs,
    expiresAt: nowMs + (question.isShort ? KEPT_OFFER_MS : APPROVAL_MS),
    amount: undefined,
    day: undefined,
    paymentId: undefined,
    error: undefined,
  };
  await tables.approvals.put(row);
  return row;
}

/** True where the question waits for a top-up. */
export function isKept({ at, expiresAt }: ApprovalRow): boolean {
  return expiresAt - at > APPROVAL_MS;
}

/** Ends questions that stood for too long. */
export async function expireQuestions(tables: StoreTables, nowMs: number): Promise<void> {
  for (const row of await tables.approvals.where("state", "asking")) {
    if (row.expiresAt <= nowMs)
      await tables.approvals.put({ ...row, state: "failed", error: "approval_expired" });
  }
}
