import { beforeEach, expect, it, vi } from "vitest";
import { APPROVE_PAGE, OPTIONS_PAGE, type WalletSnapshotJson } from "../../shared/protocol/ui.ts";
import { EXTENSION_ID } from "../../test/support/fake-platform.ts";
import { makeTestWallet } from "../../wallet/core/testing.ts";

const browser = await vi.hoisted(async () =>
  (await import("../../test/support/fake-platform.ts")).makeFakeBrowser(),
);
vi.mock("../platform.ts", () => browser.platform);
const { gatherViewers } = await import("./viewers.ts");

const OWN = `chrome-extension://${EXTENSION_ID}`;
const POPUP = { id: EXTENSION_ID, url: `${OWN}/extension/ui/popup/index.html`, origin: OWN };
const { wallet } = await makeTestWallet();
const SNAPSHOT = await wallet.snapshot();

let faults: unknown[];
beforeEach(() => {
  faults = [];
  vi.stubGlobal("reportError", (error: unknown) => faults.push(error));
});

/** The background's end of a port, and what went through it. */
function connect(changes: { readonly name?: string; readonly sender?: unknown } = {}) {
  const received: unknown[] = [];
  const enders: (() => void)[] = [];
  let isClosed = false;
  return {
    received,
    isClosed: () => isClosed,
    leave: () => {
      for (const ender of enders) ender();
    },
    connection: {
      name: "ui",
      sender: POPUP,
      send: (message: unknown) => void received.push(message),
      onEnd: (listener: () => void) => void enders.push(listener),
      close: () => {
        isClosed = true;
      },
      ...changes,
    },
  };
}

const settled = () => new Promise(setImmediate);
const atOnce = () => Promise.resolve();

it("a page that opens does not wait for a change to be told how things stand", async () => {
  const viewers = gatherViewers(async () => SNAPSHOT);
  const popup = connect();
  viewers.accept(popup.connection);
  await settled();
  expect(popup.received).toEqual([SNAPSHOT]);
});

it.each([
  [
    "a content script",
    { sender: { ...POPUP, url: "https://lantern.example/", origin: "https://lantern.example" } },
  ],
  ["another extension", { sender: { ...POPUP, id: "ponmlkjihgfedcbaponmlkjihgfedcba" } }],
  ["nobody", { sender: undefined }],
  ["a page of ours with another port", { name: "keepalive" }],
])("%s is turned away, and hears nothing", async (_case, changes) => {
  const viewers = gatherViewers(async () => SNAPSHOT);
  const other = connect(changes);
  viewers.accept(other.connection);
  viewers.tell();
  await settled();
  expect([other.isClosed(), other.received, viewers.count()]).toEqual([true, [], 0]);
});

it("more pages than a reader opens are turned away, until one of them closes", () => {
  const viewers = gatherViewers(async () => SNAPSHOT);
  const opened = Array.from({ length: 21 }, () => connect());
  for (const { connection } of opened) viewers.accept(connection);
  expect(viewers.count()).toBe(20);
  expect(opened.map(({ isClosed }) => isClosed())).toEqual([...Array(20).fill(false), true]);
  opened[0]?.leave();
  viewers.accept(connect().connection);
  expect(viewers.count()).toBe(20);
});

it("a question is not taken for a reader who looks at the wallet", () => {
  const viewers = gatherViewers(async () => SNAPSHOT);
  const question = connect({ sender: { ...POPUP, url: `${OWN}/${APPROVE_PAGE}?id=${"a".repeat(32)}` } });
  const options = connect({ sender: { ...POPUP, url: `${OWN}/${OPTIONS_PAGE}#/${APPROVE_PAGE}` } });
  viewers.accept(question.connection);
  expect([viewers.count(), viewers.countOfWallet()]).toEqual([1, 0]);
  viewers.accept(options.connection);
  viewers.accept(connect().connection);
  expect([viewers.count(), viewers.countOfWallet()]).toEqual([3, 2]);
  options.leave();
  expect([viewers.count(), viewers.countOfWallet()]).toEqual([2, 1]);
});

it("changes while a snapshot is taken are one further snapshot, and the last one is never missed", async () => {
  const taken: PromiseWithResolvers<WalletSnapshotJson>[] = [];
  const viewers = gatherViewers(() => {
    const next = Promise.withResolvers<WalletSnapshotJson>();
    taken.push(next);
    return next.promise;
  }, atOnce);
  const popup = connect();
  viewers.accept(popup.connection);
  for (let change = 0; change < 5; change += 1) viewers.tell();
  expect(taken).toHaveLength(1);
  taken[0]?.resolve(SNAPSHOT);
  await settled();
  expect(taken).toHaveLength(2);
  const newer = { ...SNAPSHOT, frozen: true };
  taken[1]?.resolve(newer);
  await settled();
  expect(popup.received).toEqual([SNAPSHOT, newer]);
  expect(taken).toHaveLength(2);
});

it("nobody takes a snapshot while nobody looks", async () => {
  const snapshot = vi.fn(async () => SNAPSHOT);
  const viewers = gatherViewers(snapshot, atOnce);
  viewers.tell();
  const popup = connect();
  viewers.accept(popup.connection);
  await settled();
  popup.leave();
  viewers.tell();
  await settled();
  expect(snapshot).toHaveBeenCalledTimes(1);
  expect(popup.received).toHaveLength(1);
});

it("a snapshot that fails is reported, and its pages are let go, to connect again", async () => {
  let fails = true;
  const viewers = gatherViewers(async () => {
    if (fails) throw new Error("no store");
    return SNAPSHOT;
  }, atOnce);
  const popup = connect();
  viewers.accept(popup.connection);
  await settled();
  expect(faults).toEqual([new Error("no store")]);
  expect([popup.isClosed(), viewers.count()]).toEqual([true, 0]);
  fails = false;
  const again = connect();
  viewers.accept(again.connection);
  await settled();
  expect(again.received).toEqual([SNAPSHOT]);
});

it("a page that joins while a change is about to be told hears of it twice: what it asked with joining may be older", async () => {
  const { promise: paused, resolve: endPause } = Promise.withResolvers<void>();
  const viewers = gatherViewers(
    async () => SNAPSHOT,
    () => paused,
  );
  const popup = connect();
  viewers.accept(popup.connection);
  await settled();
  viewers.tell();
  const options = connect();
  viewers.accept(options.connection);
  viewers.tell();
  await settled();
  expect(options.received).toEqual([]);
  endPause();
  await settled();
  expect(options.received).toEqual([SNAPSHOT, SNAPSHOT]);
  viewers.tell();
  await settled();
  expect(options.received).toHaveLength(3);
});
