import "fake-indexeddb/auto";
import Dexie from "dexie";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, expect, it, vi } from "vitest";
import { TEST_PROVIDER } from "../../shared/protocol/ui.ts";
import { noWalletSnapshot } from "../ui/fixtures/snapshots.ts";

const browser = await vi.hoisted(async () =>
  (await import("../../test/support/fake-platform.ts")).makeFakeBrowser(),
);
vi.mock("../platform.ts", () => browser.platform);

const LIVE = "http://127.0.0.1:4020";
/** Another one for each test: what a background of the test before still does is told apart by it. */
let TEST = "";
let ports = 4_021;
const INFO = {
  accountsOrigin: "http://localhost:4020",
  currency: "USD",
  unit: "usd6",
  network: "tuppence:usd",
  sandbox: true,
  sealingKey: { kty: "OKP", crv: "X25519", x: "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo" },
  topUps: { gateways: ["sandbox"], least: "1000000", most: "50000000" },
  largestPayment: "20000000",
};

/** What each provider says of itself; nobody answers anything else. */
let infos: Record<string, object>;
let wallets: ReturnType<typeof import("./wallets.ts").keepWallets>;

/** As a browser does, whenever the background died. */
async function startBackground() {
  vi.resetModules();
  wallets = (await import("./wallets.ts")).keepWallets();
}

beforeEach(async () => {
  // What a wallet of the test before still does, it does in that test's browser.
  Dexie.dependencies.indexedDB = new IDBFactory();
  TEST = `http://127.0.0.1:${ports++}`;
  browser.device.clear();
  browser.session.clear();
  vi.stubGlobal("reportError", (error: unknown) => {
    throw error;
  });
  infos = {
    [LIVE]: { ...INFO, name: "Pay", origin: LIVE, counterpart: TEST },
    [TEST]: { ...INFO, name: "Play", origin: TEST, accountsOrigin: "http://localhost:4021", mode: "test" },
  };
  vi.stubGlobal("fetch", async (address: string) => {
    const { origin, pathname } = new URL(address);
    if (pathname === "/.well-known/tuppence.json" && infos[origin]) return Response.json(infos[origin]);
    if (pathname === "/.well-known/jwks.json") return Response.json({ keys: [] });
    return new Response("", { status: 503 });
  });
  await startBackground();
  const { wallet } = await wallets.current();
  await wallet.create({ kind: "ui", type: "createWallet" });
  await expect.poll(() => wallet.provider()).toMatchObject({ counterpart: TEST });
});

const snapshot = async () => (await wallets.current()).wallet.snapshot();
const phrase = async () => (await (await wallets.current()).wallet.showPhrase()).phrase;
const setTestMode = async (on: boolean) => (await wallets.current()).setTestMode(on);

it("goes to a wallet of its own and back, each with its own phrase and store, also after the background died", async () => {
  const own = await phrase();
  await setTestMode(true);
  expect(await snapshot()).toMatchObject({ state: "ready", testMode: "on", provider: { origin: TEST } });
  const ofTests = await phrase();
  expect(ofTests).not.toBe(own);
  await startBackground();
  expect(await phrase()).toBe(ofTests);
  await setTestMode(false);
  expect(await phrase()).toBe(own);
  await startBackground();
  expect(await snapshot()).toMatchObject({ testMode: "offered", provider: { origin: LIVE } });
  expect((await Dexie.getDatabaseNames()).sort()).toEqual(["tuppence", `tuppence ${TEST}`]);
});

it("is the same wallet again after it was left and come back to, and no second one beside it", async () => {
  const before = (await wallets.current()).wallet;
  await setTestMode(true);
  await setTestMode(false);
  expect((await wallets.current()).wallet).toBe(before);
});

it.each([
  ["is of real money", { mode: "live" }],
  ["is no sandbox", { sandbox: false }],
  ["calls itself otherwise", { origin: LIVE }],
])("is not entered where the counterpart %s, and no wallet is made there", async (_case, changes) => {
  infos[TEST] = { ...infos[TEST], ...changes };
  await expect(setTestMode(true)).rejects.toMatchObject({ code: "provider_answer_invalid" });
  expect(await snapshot()).toMatchObject({ testMode: "offered" });
  expect(browser.device.size).toBe(0);
});

it("is not entered where nobody answers there, but can always be left", async () => {
  const { [TEST]: answer, ...others } = infos;
  infos = others;
  await expect(setTestMode(true)).rejects.toMatchObject({ code: "provider_unreachable" });
  infos = { ...others, [TEST]: answer ?? {} };
  await setTestMode(true);
  infos = {};
  await setTestMode(false);
  expect(await snapshot()).toMatchObject({ testMode: "offered" });
});

it("does not change under what the reader clicked for", async () => {
  const { underWay } = await wallets.current();
  underWay.add("a payment");
  await expect(setTestMode(true)).rejects.toMatchObject({ code: "wallet_busy" });
  expect(browser.device.size).toBe(0);
  underWay.clear();
  await setTestMode(true);
  expect(browser.device.get(TEST_PROVIDER)).toBe(TEST);
});

it("lets whoever asks while it changes wait, and gives them the wallet that comes of it", async () => {
  let isWritten = () => {};
  vi.spyOn(browser.platform, "writeDevice").mockImplementationOnce(async (key, value) => {
    await new Promise<void>((resolve) => {
      isWritten = resolve;
    });
    browser.device.set(key, value);
  });
  const changing = setTestMode(true);
  await vi.waitFor(() => expect(browser.platform.writeDevice).toHaveBeenCalled());
  let asked: string | undefined;
  const asking = wallets.current().then(({ testProvider }) => {
    asked = testProvider;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(asked).toBeUndefined();
  isWritten();
  await Promise.all([changing, asking]);
  expect(asked).toBe(TEST);
});

it("stays where it is when the device cannot keep the change, and forgets nothing of it", async () => {
  vi.spyOn(browser.platform, "writeDevice").mockRejectedValueOnce(new Error("the disk is full"));
  await expect(setTestMode(true)).rejects.toThrow("the disk is full");
  expect(await snapshot()).toMatchObject({ testMode: "offered" });
  await setTestMode(true);
  expect(await snapshot()).toMatchObject({ testMode: "on" });
});

it("is no wallet at all while the device does not say which, and never the wrong one", async () => {
  await setTestMode(true);
  vi.spyOn(browser.platform, "readDevice").mockRejectedValueOnce(new Error("not now"));
  await startBackground();
  await expect(wallets.current()).rejects.toThrow("not now");
  expect(await snapshot()).toMatchObject({ testMode: "on" });
});

it("locks the wallet that is left where a passphrase keeps it, and does not open it with the other's", async () => {
  const { lock } = await wallets.current();
  await lock.protect({
    kind: "ui",
    type: "protect",
    passphrase: "correct horse battery staple",
    lockAfterMinutes: 5,
  });
  await setTestMode(true);
  expect(await snapshot()).toMatchObject({
    state: "ready",
    testMode: "on",
    protection: { hasPassphrase: false },
  });
  const ofTests = await wallets.current();
  await ofTests.lock.protect({
    kind: "ui",
    type: "protect",
    passphrase: "four words of another",
    lockAfterMinutes: 5,
  });
  // Unlocked it stays, by its own key, when the background dies.
  await startBackground();
  expect(await snapshot()).toMatchObject({ state: "ready", protection: { hasPassphrase: true } });
  await setTestMode(false);
  expect(await snapshot()).toMatchObject({ state: "locked", testMode: "none", provider: { mode: "live" } });
});

it("remembers a balance for each, so that a popup does not begin with the other's", async () => {
  const remembered = () => ["last-balance", `${TEST} last-balance`].filter((key) => browser.session.has(key));
  wallets.settle();
  await expect.poll(remembered).toEqual(["last-balance"]);
  await setTestMode(true);
  await expect.poll(remembered).toEqual(["last-balance", `${TEST} last-balance`]);
});

it("says on the button that it is test mode, whatever else there is to say", async () => {
  const { badgeOf } = await import("./wallets.ts");
  const calm = noWalletSnapshot();
  const low = { ...calm, state: "ready" as const, balance: { ...calm.balance, isLow: true } };
  const provider = { ...calm.provider, mode: "test" as const };
  for (const state of ["none", "locked", "ready"] as const)
    expect(badgeOf({ ...low, state, provider })).toMatchObject({
      text: "TEST",
      title: "Tuppence – test mode, play money only",
    });
  expect(badgeOf(low)).toMatchObject({ text: "!" });
  expect(badgeOf(calm)).toMatchObject({ text: "", title: "Tuppence" });
});
