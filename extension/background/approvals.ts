/** The windows in which the wallet asks. Which window asks what outlives the background, in the session's storage. */
import * as v from "valibot";
import { APPROVE_PAGE } from "../../shared/protocol/ui.ts";
import type { PromptPort, Wallet } from "../../wallet/core/index.ts";
import { extensionUrl, focusWindow, openWindow, readSession, writeSession } from "../platform.ts";
import { inTurn } from "./in-turn.ts";

const WIDTH_PIXELS = 420;
const HEIGHT_PIXELS = 600;
const STORED_AS = "approval-windows";

const ApprovalWindows = v.array(v.object({ windowId: v.number(), approvalId: v.string() }));
type ApprovalWindows = v.InferOutput<typeof ApprovalWindows>;

const oneAtATime = inTurn();

/** Shows an approval, in the window that shows it already if there is one. */
export const prompt: PromptPort = {
  open: (approvalId) =>
    oneAtATime(async () => {
      const windows = await readWindows();
      const standing = windows.find((window) => window.approvalId === approvalId);
      if (standing !== undefined && (await focusWindow(standing.windowId))) return;
      const windowId = await openWindow(
        `${extensionUrl(APPROVE_PAGE)}?id=${approvalId}`,
        WIDTH_PIXELS,
        HEIGHT_PIXELS,
      );
      if (windowId === undefined) return;
      await writeSession(STORED_AS, [
        ...windows.filter((window) => window !== standing),
        { windowId, approvalId },
      ]);
    }),
};

/** A window that is closed while it still asks is a no; one that waits for a top-up keeps its offer. */
export async function declineClosed(wallet: Wallet, windowId: number): Promise<void> {
  const closed = await oneAtATime(async () => {
    const windows = await readWindows();
    const found = windows.find((window) => window.windowId === windowId);
    if (found !== undefined)
      await writeSession(
        STORED_AS,
        windows.filter((window) => window !== found),
      );
    return found;
  });
  if (closed === undefined) return;
  const { approvals } = await wallet.snapshot();
  const asked = approvals.find(({ id }) => id === closed.approvalId);
  if (asked?.state === "asking" && asked.missing === null)
    await wallet.decide({ kind: "ui", type: "decide", approvalId: asked.id, approve: false });
}

async function readWindows(): Promise<ApprovalWindows> {
  const stored = v.safeParse(ApprovalWindows, await readSession(STORED_AS));
  return stored.success ? stored.output : [];
}
