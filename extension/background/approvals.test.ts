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
  await restartBackground();
});

/** Its memory is gone, the browser's is not. */
async function restartBackground(): Promise<void> {
  vi.resetModules();
  background = await import("./approvals.ts");
}

const FIRST = "1".repeat(32);
const SECOND = "2".repeat(32);
const addressOf = (approvalId: string) =>
  `chrome-extension://${EXTENSION_ID}/${APPROVE_PAGE}?id=${approvalId}`;
const openWindows = () => [...browser.windows.values()];

function closeWindow(approvalId: string): number {
  const [id] = [...browser.windows].find(([, url]) => url === addressOf(approvalId)) ?? [];
  if (id === undefined) throw new Error("no such window");
  browser.windows.delete(id);
  return id;
}

it("does not open a second window for a question that has one", async () => {
  await background.prompt.open(FIRST, 1);
  await background.prompt.open(FIRST, 1);
  expect(openWindows()).toEqual([addressOf(FIRST)]);
  expect(browser.focused).toEqual([...browser.windows.keys()]);
});

it("does not open two windows for two askers at the same moment", async () => {
  await Promise.all([background.prompt.open(FIRST, 1), background.prompt.open(FIRST, 1)]);
  expect(openWindows()).toEqual([addressOf(FIRST)]);
});

it("does not forget, when the background dies, which window asks what", async () => {
  await background.prompt.open(FIRST, 1);
  await restartBackground();
  await background.prompt.open(FIRST, 1);
  expect(openWindows()).toEqual([addressOf(FIRST)]);
});

it("does not take a window that is gone for one that asks", async () => {
  await background.prompt.open(FIRST, 1);
  closeWindow(FIRST);
  await background.prompt.open(FIRST, 1);
  expect(openWindows()).toEqual([addressOf(FIRST)]);
});

it("does not put one question in another one's window", async () => {
  await background.prompt.open(FIRST, 1);
  await background.prompt.open(SECOND, 2);
  expect(openWindows()).toEqual([addressOf(FIRST), addressOf(SECOND)]);
});

it("opens a window though the session holds something that is no list of windows", async () => {
  browser.session.set("approval-windows", { windowId: "x" });
  await background.prompt.open(FIRST, 1);
  expect(openWindows()).toEqual([addressOf(FIRST)]);
});

it("does not stop asking because the browser could not open a window once", async () => {
  vi.spyOn(browser.platform, "openWindow").mockRejectedValueOnce(new Error("too many windows"));
  await expect(background.prompt.open(FIRST, 1)).rejects.toThrow("too many windows");
  await background.prompt.open(FIRST, 1);
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
  await background.prompt.open(approvalId, 1);
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
  await background.prompt.open(approvalId, 1);
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
