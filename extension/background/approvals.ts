/**
 * The windows in which the wallet asks: one question at a time, over all tabs. A question that comes while another is asked
 * brings that one to the front and waits in a line; what was asked is never exchanged under the reader's hand. Which
 * window asks what, and who waits, outlives the background, in the session's storage.
 */
import * as v from "valibot";
import type { ErrorCode } from "../../shared/errors.ts";
import { APPROVE_PAGE } from "../../shared/protocol/ui.ts";
import type { PromptPort, Wallet } from "../../wallet/core/index.ts";
import { extensionUrl, focusWindow, openWindow, readSession, writeSession } from "../platform.ts";
import { inTurn } from "./in-turn.ts";

const WIDTH_PIXELS = 420;
const HEIGHT_PIXELS = 600;
const STORED_AS = "approval-windows";
/** Each tab can have one question, so a line that is longer is nobody's reading. The popup shows the others. */
const MAX_WAITING = 10;

const ApprovalWindows = v.object({
  /** Those that were answered may still show how it went. */
  windows: v.array(v.object({ windowId: v.number(), approvalId: v.string() })),
  /** Ids of approvals, the next first. */
  waiting: v.array(v.string()),
});
type ApprovalWindows = v.InferOutput<typeof ApprovalWindows>;

/** Keys that are pressed again and again show one window. */
const PROBLEM_STORED_AS = "problem-window";
const ProblemWindow = v.object({ windowId: v.number(), code: v.string() });

const oneAtATime = inTurn();

export const prompt: PromptPort = {
  open: (approvalId, _tabId, isAsking) =>
    oneAtATime(async () => {
      const { windows, waiting } = await readWindows();
      for (const window of windows) {
        const isSame = window.approvalId === approvalId;
        if (!isSame && !(await isAsking(window.approvalId))) continue;
        // One that is gone asks nothing.
        if (!(await focusWindow(window.windowId))) continue;
        if (!isSame && !waiting.includes(approvalId))
          await writeWindows({ windows, waiting: [...waiting, approvalId].slice(0, MAX_WAITING) });
        return;
      }
      await show(approvalId);
    }),
};

/**
 * Shows the next question of the line, if none is being asked. What still asks is found out within the turn: by what was
 * read before it, the line that formed meanwhile would look answered.
 */
export async function showNext({ isAsking }: Pick<Wallet, "isAsking">): Promise<void> {
  await oneAtATime(async () => {
    const { windows, waiting } = await readWindows();
    if (waiting.length === 0) return;
    for (const { approvalId } of windows) if (await isAsking(approvalId)) return;
    for (const next of waiting) if (await isAsking(next)) return show(next);
    await writeWindows({ windows, waiting: [] });
  });
}

/** Says what went wrong where nothing else of the wallet's is open to say it. */
export async function tellProblem(code: ErrorCode): Promise<void> {
  await oneAtATime(async () => {
    const told = v.safeParse(ProblemWindow, await readSession(PROBLEM_STORED_AS));
    if (told.success && told.output.code === code && (await focusWindow(told.output.windowId))) return;
    const windowId = await openWindow(addressOf({ problem: code }), WIDTH_PIXELS, HEIGHT_PIXELS);
    await writeSession(PROBLEM_STORED_AS, { windowId, code });
  });
}

/** A window that is closed while it still asks is a no; one that waits for a top-up keeps its offer. */
export async function declineClosed(wallet: Wallet, windowId: number): Promise<void> {
  const closed = await oneAtATime(async () => {
    const { windows, waiting } = await readWindows();
    const found = windows.find((window) => window.windowId === windowId);
    if (found !== undefined)
      await writeWindows({ windows: windows.filter((window) => window !== found), waiting });
    return found;
  });
  if (closed === undefined) return;
  const { approvals } = await wallet.snapshot();
  const asked = approvals.find(({ id }) => id === closed.approvalId);
  if (asked?.state === "asking" && asked.missing === null)
    await wallet.decide({ kind: "ui", type: "decide", approvalId: asked.id, approve: false });
}

/** Within a turn. */
async function show(approvalId: string): Promise<void> {
  const windowId = await openWindow(addressOf({ id: approvalId }), WIDTH_PIXELS, HEIGHT_PIXELS);
  if (windowId === undefined) return;
  const { windows, waiting } = await readWindows();
  await writeWindows({
    windows: [...windows.filter((window) => window.approvalId !== approvalId), { windowId, approvalId }],
    waiting: waiting.filter((id) => id !== approvalId),
  });
}

function addressOf(shown: Record<string, string>): string {
  return `${extensionUrl(APPROVE_PAGE)}?${new URLSearchParams(shown)}`;
}

async function readWindows(): Promise<ApprovalWindows> {
  const stored = v.safeParse(ApprovalWindows, await readSession(STORED_AS));
  return stored.success ? stored.output : { windows: [], waiting: [] };
}

async function writeWindows(windows: ApprovalWindows): Promise<void> {
  await writeSession(STORED_AS, windows);
}
