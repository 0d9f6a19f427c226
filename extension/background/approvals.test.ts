import { beforeEach, expect, it, vi } from "vitest";
import { APPROVE_PAGE } from "../../shared/protocol/ui.ts";
import { EXTENSION_ID } from "../../test/support/fake-platform.ts";
import { makeTestWallet, offerOf, type TestWallet } from "../../wallet/core/testing.ts";

const browser = await vi.hoisted(async () =>
  (await import("../../test/support/fake-platform.ts")).makeFakeBrowser(),
);
vi.mock("../platform.ts", () => browser.platform);

let background: typeof import("./approvals.ts");
beforeEach(async () => {
  browser.session.clear();
  browser.windows.clear();
  browser.focused.length = 0;
  asking.clear();
  await restartBackground();
});

/** Its memory is gone, the browser's is not. */
async function restartBackground(): Promise<void> {
  vi.resetModules();
  background = await import("./approvals.ts");
}

/** The ids of approvals that nobody has answered. */
const asking = new Set<string>();
function open(approvalId: string, tabId: number): Promise<void> {
  asking.add(approvalId);
  return background.prompt.open(approvalId, tabId, async (id) => asking.has(id));
}

const FIRST = "1".repeat(32);
const SECOND = "2".repeat(32);
const THIRD = "3".repeat(32);
const addressOf = (approvalId: string) =>
  `chrome-extension://${EXTENSION_ID}/${APPROVE_PAGE}?id=${approvalId}`;
/** As after every change of the wallet. */
const showNext = () => background.showNext({ isAsking: async (id) => asking.has(id) });
const openWindows = () => [...browser.windows.values()];

function closeWindow(approvalId: string): number {
  const [id] = [...browser.windows].find(([, url]) => url === addressOf(approvalId)) ?? [];
  if (id === undefined) throw new Error("no such window");
  browser.windows.delete(id);
  return id;
}

it("does not open a second window for a question that has one", async () => {
  await open(FIRST, 1);
  await open(FIRST, 1);
  expect(openWindows()).toEqual([addressOf(FIRST)]);
  expect(browser.focused).toEqual([...browser.windows.keys()]);
});

it("does not open two windows for two askers at the same moment", async () => {
  await Promise.all([open(FIRST, 1), open(FIRST, 1)]);
  expect(openWindows()).toEqual([addressOf(FIRST)]);
});

it("does not forget, when the background dies, which window asks what", async () => {
  await open(FIRST, 1);
  await restartBackground();
  await open(FIRST, 1);
  expect(openWindows()).toEqual([addressOf(FIRST)]);
});

it("does not take a window that is gone for one that asks", async () => {
  await open(FIRST, 1);
  closeWindow(FIRST);
  await open(FIRST, 1);
  expect(openWindows()).toEqual([addressOf(FIRST)]);
});

it("does not lay one question over another: the one that is asked comes to the front, and the other one waits", async () => {
  await open(FIRST, 1);
  await open(SECOND, 2);
  expect(openWindows()).toEqual([addressOf(FIRST)]);
  expect(browser.focused).toEqual([...browser.windows.keys()]);
  await showNext();
  expect(openWindows(), "not before the first is answered").toEqual([addressOf(FIRST)]);
  asking.delete(FIRST);
  await showNext();
  await showNext();
  expect(openWindows()).toEqual([addressOf(FIRST), addressOf(SECOND)]);
});

it("does not open windows side by side for many that ask at the same moment, nor forgets their order", async () => {
  await Promise.all([FIRST, SECOND, THIRD].map((id, tab) => open(id, tab)));
  await restartBackground();
  for (const id of [FIRST, SECOND, THIRD]) {
    expect(openWindows()).toEqual([addressOf(id)]);
    asking.delete(id);
    closeWindow(id);
    await showNext();
  }
  expect(openWindows()).toEqual([]);
});

it("does not ask what was answered or given up while it waited", async () => {
  await open(FIRST, 1);
  await open(SECOND, 2);
  asking.delete(SECOND);
  asking.delete(FIRST);
  await showNext();
  expect(openWindows()).toEqual([addressOf(FIRST)]);
});

it("does not keep a new question back for a window that only shows how the last one went", async () => {
  await open(FIRST, 1);
  asking.delete(FIRST);
  await open(SECOND, 2);
  expect(openWindows()).toEqual([addressOf(FIRST), addressOf(SECOND)]);
});

it("does not keep a question back for one whose window is gone", async () => {
  await open(FIRST, 1);
  closeWindow(FIRST);
  await open(SECOND, 2);
  expect(openWindows()).toEqual([addressOf(SECOND)]);
});

it("does not let a line grow without an end", async () => {
  await open(FIRST, 0);
  for (let tab = 1; tab <= 30; tab++) await open(tab.toString(16).padStart(32, "0"), tab);
  expect(JSON.stringify(browser.session.get("approval-windows")).match(/[0-9a-f]{32}/g)).toHaveLength(11);
  expect(openWindows()).toHaveLength(1);
});

it("says what went wrong in one window, however often the keys are pressed", async () => {
  for (let presses = 0; presses < 5; presses++) await background.tellProblem("nothing_to_tip");
  expect(openWindows()).toEqual([
    `chrome-extension://${EXTENSION_ID}/${APPROVE_PAGE}?problem=nothing_to_tip`,
  ]);
});

it("opens a window though the session holds something that is no list of windows", async () => {
  browser.session.set("approval-windows", { windowId: "x" });
  await open(FIRST, 1);
  expect(openWindows()).toEqual([addressOf(FIRST)]);
});

it("does not stop asking because the browser could not open a window once", async () => {
  vi.spyOn(browser.platform, "openWindow").mockRejectedValueOnce(new Error("too many windows"));
  await expect(open(FIRST, 1)).rejects.toThrow("too many windows");
  await open(FIRST, 1);
  expect(openWindows()).toEqual([addressOf(FIRST)]);
});

/** A question that a page waits for, and its window. */
async function ask(reader: TestWallet, offer = offerOf()) {
  const outcome = reader.ask(offer).then(
    () => "paid",
    (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
  );
  await vi.waitFor(() => expect(reader.prompts).toHaveLength(1));
  const approvalId = reader.prompts[0]?.approvalId ?? "";
  await open(approvalId, 1);
  return { approvalId, outcome };
}

async function questionState(reader: TestWallet): Promise<string | undefined> {
  return (await reader.wallet.snapshot()).approvals[0]?.state;
}

it("a window that is closed while it asks is a no", async () => {
  const reader = await makeTestWallet();
  const { approvalId, outcome } = await ask(reader);
  await background.declineClosed(reader.wallet, closeWindow(approvalId));
  expect(await outcome).toBe("declined");
  expect(reader.provider.settled).toEqual([]);
});

it("a window that is closed while the background was dead is a no all the same", async () => {
  const reader = await makeTestWallet();
  const { approvalId, outcome } = await ask(reader);
  await restartBackground();
  await background.declineClosed(reader.wallet, closeWindow(approvalId));
  expect(await outcome).toBe("declined");
});

it("a window that waits for a top-up keeps its offer when it is closed, and opens again for it", async () => {
  const reader = await makeTestWallet([10_000]);
  const { approvalId } = await ask(reader);
  await expect(reader.decide(true)).rejects.toMatchObject({ code: "insufficient_balance" });
  await background.declineClosed(reader.wallet, closeWindow(approvalId));
  expect(await questionState(reader)).toBe("asking");
  await open(approvalId, 1);
  expect(openWindows()).toEqual([addressOf(approvalId)]);
});

it("a window that is closed after the reader said yes takes nothing back", async () => {
  const reader = await makeTestWallet();
  const { approvalId, outcome } = await ask(reader);
  await reader.decide(true);
  await background.declineClosed(reader.wallet, closeWindow(approvalId));
  expect(await outcome).toBe("paid");
  expect(reader.provider.settled).toHaveLength(1);
});

it("a window of the reader's own that is closed is no answer to anything", async () => {
  const reader = await makeTestWallet();
  await ask(reader);
  await background.declineClosed(reader.wallet, 4_711);
  expect(await questionState(reader)).toBe("asking");
});
