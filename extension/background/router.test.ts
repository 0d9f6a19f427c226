import * as v from "valibot";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type ErrorCode, tellReader } from "../../shared/errors.ts";
import { MAX_MESSAGE_LENGTH } from "../../shared/protocol/page.ts";
import { UiRequest, type UiRequestType, UiResults } from "../../shared/protocol/ui.ts";
import { EXTENSION_ID } from "../../test/support/fake-platform.ts";
import { OPEN_LOCK } from "../../test/support/open-lock.ts";
import type { Wallet } from "../../wallet/core/index.ts";
import { makeTestWallet, offerOf, SITE, type TestWallet } from "../../wallet/core/testing.ts";

const browser = await vi.hoisted(async () =>
  (await import("../../test/support/fake-platform.ts")).makeFakeBrowser(),
);
vi.mock("../platform.ts", () => browser.platform);
const { answer } = await import("./router.ts");

const ARTICLE = { url: `${SITE}/article`, origin: SITE };
const PAGE = { id: EXTENSION_ID, ...ARTICLE, frameId: 0, tab: { id: 1, url: ARTICLE.url, incognito: false } };
const OWN = `chrome-extension://${EXTENSION_ID}`;
const POPUP = { id: EXTENSION_ID, url: `${OWN}/extension/ui/popup/index.html`, origin: OWN };

let reader: TestWallet;
let faults: unknown[];
let watched: (number | undefined)[];
let switched: boolean[];
let underWay: Set<unknown>;
beforeEach(async () => {
  reader = await makeTestWallet();
  faults = [];
  watched = [];
  switched = [];
  underWay = new Set();
  browser.tabs.length = 0;
  browser.active = undefined;
  vi.stubGlobal("reportError", (error: unknown) => faults.push(error));
});

/** The router's answer, by the wallet under test, or by one that differs from it. */
function ask(message: unknown, sender: unknown, changes: Partial<Wallet> = {}) {
  const background = {
    wallet: { ...reader.wallet, ...changes },
    lock: OPEN_LOCK,
    topUps: { watch: async (tabId: number | undefined) => void watched.push(tabId) },
    testProvider: undefined,
    underWay,
    setTestMode: async (on: boolean) => void switched.push(on),
  };
  return answer(async () => background, message, sender);
}

async function askAsPage(
  request: unknown,
  options: { clicked?: boolean; sender?: object; wallet?: Partial<Wallet> } = {},
) {
  const { clicked = true, sender = PAGE, wallet = {} } = options;
  const message = typeof request === "string" ? request : JSON.stringify(request);
  const text = await ask({ kind: "page", message, clicked }, sender, wallet);
  return typeof text === "string" ? JSON.parse(text) : text;
}

const refusal = (code: ErrorCode) => ({ code, message: tellReader(code) });
const ID = "request-1234";
const pay = { v: 1, id: ID, type: "pay", payload: { offer: offerOf(), mode: "direct" } };
const status = { v: 1, id: ID, type: "status", payload: { paymentId: "0".repeat(32) } };

describe("a page", () => {
  it("hears the answer to what it asked, under the same id", async () => {
    const answered = askAsPage(pay);
    await vi.waitFor(() => expect(reader.prompts).toHaveLength(1));
    await reader.decide(true);
    expect(await answered).toMatchObject({
      v: 1,
      id: ID,
      ok: { paymentId: expect.any(String), receipt: expect.any(String) },
    });
  });

  it.each([
    [
      "tip",
      { offer: offerOf({ kind: "tip", amount: 1n }), least: "1000", most: "100000" },
      "amount_not_payable",
    ],
    [
      "entitlement",
      { merchant: "the-lantern", resource: ARTICLE.url, challenge: "c".repeat(16) },
      "entitlement_unknown",
    ],
    ["status", { paymentId: "0".repeat(32) }, "payment_unknown"],
    ["pay", { offer: {}, mode: "direct" }, "offer_invalid"],
  ])("has its %s answered by the wallet, and hears why where it is refused", async (type, payload, code) => {
    const answered = await askAsPage({ v: 1, id: ID, type, payload });
    expect(answered).toMatchObject({ v: 1, id: ID });
    expect(answered.error?.code).toBe(code);
    expect(faults).toEqual([]);
  });

  it("is asked about as the one that the browser names, never as it says of itself", async () => {
    const page = vi.fn(() => Promise.reject(new Error("enough")));
    const claims = {
      origin: "https://bank.example",
      sender: { origin: "https://bank.example" },
      clicked: true,
    };
    await askAsPage(
      { ...status, ...claims },
      { wallet: { page, mayAnswer: async () => true }, clicked: false },
    );
    expect(page).toHaveBeenCalledWith(status, expect.objectContaining({ origin: SITE, clicked: false }));
  });

  it.each([
    ["is a request", status],
    ["is none", { v: 1, id: ID, type: "status" }],
    ["is no JSON", "hello?"],
  ])(
    "that nobody clicked on and that was never dealt with hears nothing, where what it says %s",
    async (_case, request) => {
      expect(await askAsPage(request, { clicked: false })).toBeNull();
    },
  );

  it("hears nothing of a bug either where it may not know of the wallet", async () => {
    const page = () => Promise.reject(new Error("a bug"));
    expect(await askAsPage(pay, { clicked: false, wallet: { page } })).toBeNull();
    expect(faults).toEqual([]);
  });

  it.each([
    ["of another extension", { ...PAGE, id: "ponmlkjihgfedcbaponmlkjihgfedcba" }],
    ["that is only prerendered", { ...PAGE, documentLifecycle: "prerender" }],
    ["without a tab", { ...PAGE, tab: undefined }],
  ])("%s hears nothing, clicked or not", async (_case, sender) => {
    expect(await askAsPage(pay, { sender })).toBeNull();
    expect(reader.prompts).toEqual([]);
  });

  it.each([
    ["of an unknown type", { ...status, type: "drain" }],
    ["of another version", { ...status, v: 2 }],
    ["without a payload", { ...status, payload: undefined }],
    ["with a payload of another type", { ...status, payload: pay.payload }],
    ["for a mode that is none", { ...pay, payload: { ...pay.payload, mode: "free" } }],
    ["of our own pages'", { kind: "ui", type: "showPhrase", id: ID }],
  ])("hears that a request %s is none", async (_case, request) => {
    expect(await askAsPage(request)).toEqual({ v: 1, id: ID, error: refusal("message_invalid") });
    expect(faults).toEqual([]);
  });

  it.each(["", "null", "[]", "{}", "{", '{"id":5}', `{"id":"${"x".repeat(65)}"}`, `${"[".repeat(5_000)}`])(
    "hears nothing of %.20j, which has no name to answer to",
    async (message) => {
      expect(await askAsPage(message)).toBeNull();
      expect(faults).toEqual([]);
    },
  );

  it("is not read at all beyond the length of a message", () => {
    const message = JSON.stringify({ ...status, padding: "x".repeat(MAX_MESSAGE_LENGTH) });
    expect(ask({ kind: "page", message, clicked: true }, PAGE)).toBeUndefined();
  });

  it("hears of a bug no more than that something went wrong, and the bug is reported", async () => {
    const bug = new TypeError("the offer of reader@home is undefined");
    const answered = await askAsPage(pay, { wallet: { page: () => Promise.reject(bug) } });
    expect(answered).toEqual({ v: 1, id: ID, error: refusal("internal") });
    expect(faults).toEqual([bug]);
  });

  it("reaches nothing that only our own pages may ask for", () => {
    for (const message of Object.values(UI_REQUESTS)) expect(ask(message, PAGE)).toBeUndefined();
  });
});

/** One of each; the compiler asks for the next. */
const UI_REQUESTS: { readonly [T in UiRequestType]: { readonly kind: "ui"; readonly type: T } } = {
  snapshot: { kind: "ui", type: "snapshot" },
  createWallet: { kind: "ui", type: "createWallet" },
  showPhrase: { kind: "ui", type: "showPhrase" },
  unlock: uiRequest("unlock", { passphrase: "none" }),
  lock: { kind: "ui", type: "lock" },
  protect: uiRequest("protect", { passphrase: "short", lockAfterMinutes: 5 }),
  eraseWallet: { kind: "ui", type: "eraseWallet" },
  confirmPhrase: uiRequest("confirmPhrase", { words: [1, 2, 3].map((place) => ({ place, word: "wrong" })) }),
  putOffPhrase: { kind: "ui", type: "putOffPhrase" },
  topUp: uiRequest("topUp", { amount: "5000000" }),
  decide: uiRequest("decide", { approvalId: "0".repeat(32), approve: true }),
  showQuestion: uiRequest("showQuestion", { approvalId: "0".repeat(32) }),
  tipSite: { kind: "ui", type: "tipSite" },
  startTip: { kind: "ui", type: "startTip" },
  depositAll: { kind: "ui", type: "depositAll" },
  closeAccount: { kind: "ui", type: "closeAccount" },
  saveBackup: { kind: "ui", type: "saveBackup" },
  takeOver: { kind: "ui", type: "takeOver" },
  refund: uiRequest("refund", { paymentId: "0".repeat(32) }),
  removeAllowance: uiRequest("removeAllowance", { origin: SITE }),
  forgetSite: uiRequest("forgetSite", { origin: SITE }),
  setAllowance: uiRequest("setAllowance", {
    origin: SITE,
    perPayment: null,
    perDay: null,
    perMonth: "1000000",
  }),
  setPaused: uiRequest("setPaused", { paused: true }),
  setTestMode: uiRequest("setTestMode", { on: true }),
  setMonthlyLimit: uiRequest("setMonthlyLimit", { limit: "10000000" }),
  history: { kind: "ui", type: "history" },
  spending: uiRequest("spending", { period: "2026-11" }),
  payment: uiRequest("payment", { paymentId: "0".repeat(32) }),
  exportHistory: { kind: "ui", type: "exportHistory" },
};

function uiRequest<T extends UiRequestType>(type: T, fields: object) {
  return { ...fields, kind: "ui", type } as const;
}

describe("a page of ours", () => {
  it.each([
    ["snapshot", undefined],
    ["createWallet", "wallet_exists"],
    ["showPhrase", undefined],
    ["unlock", "passphrase_wrong"],
    ["lock", undefined],
    ["protect", "passphrase_weak"],
    ["eraseWallet", undefined],
    ["confirmPhrase", undefined],
    ["putOffPhrase", undefined],
    // The provider of these tests gives neither.
    ["topUp", "provider_unreachable"],
    ["refund", "provider_unreachable"],
    ["depositAll", undefined],
    ["closeAccount", undefined],
    ["saveBackup", "provider_unreachable"],
    ["takeOver", undefined],
    ["decide", "approval_expired"],
    ["showQuestion", "approval_expired"],
    ["tipSite", undefined],
    ["startTip", "nothing_to_tip"],
    ["removeAllowance", undefined],
    ["forgetSite", undefined],
    // The wallet of these tests has paid nobody yet.
    ["setAllowance", "not_found"],
    ["setPaused", undefined],
    ["setTestMode", undefined],
    ["setMonthlyLimit", undefined],
    ["history", undefined],
    ["spending", undefined],
    ["payment", "payment_unknown"],
    ["exportHistory", undefined],
  ] as const satisfies readonly (readonly [UiRequestType, ErrorCode | undefined])[])(
    "has its %s answered in the agreed form, or hears why not",
    async (type, code) => {
      const answered = await ask(UI_REQUESTS[type], POPUP);
      if (code === undefined)
        expect(v.safeParse(v.strictObject({ ok: UiResults[type] }), answered).issues).toBeUndefined();
      else expect(answered).toEqual({ error: refusal(code) });
      expect(faults).toEqual([]);
    },
  );

  it("opens the checkout in a tab, and has that tab watched", async () => {
    const topUp = async () => ({
      topUpId: "a".repeat(32),
      checkoutUrl: "https://accounts.pay.example/checkout",
    });
    await ask(UI_REQUESTS.topUp, POPUP, { topUp });
    expect(browser.tabs).toEqual(["https://accounts.pay.example/checkout"]);
    expect(watched).toEqual([expect.any(Number)]);
  });

  it.each([
    ["of an unknown type", { kind: "ui", type: "drain" }],
    ["of no kind", { type: "snapshot" }],
    ["without its fields", { kind: "ui", type: "refund" }],
    ["for a payment that has no id", uiRequest("refund", { paymentId: "../.." })],
    ["with an amount that is a number", uiRequest("topUp", { amount: 5 })],
    ["for a top-up of nothing", uiRequest("topUp", { amount: "0" })],
    ["for an address that is no origin", uiRequest("forgetSite", { origin: `${SITE}/article` })],
    ["with a phrase of any length", uiRequest("createWallet", { phrase: "x".repeat(501) })],
    ["that is none", "snapshot"],
    ["that is nothing", undefined],
  ])("hears that a message %s is none", async (_case, message) => {
    expect(await ask(message, POPUP)).toEqual({ error: refusal("message_invalid") });
    expect(faults).toEqual([]);
  });

  it("hears of a bug that something went wrong, and the bug is reported", async () => {
    const bug = new TypeError("x is undefined");
    expect(await ask(UI_REQUESTS.snapshot, POPUP, { snapshot: () => Promise.reject(bug) })).toEqual({
      error: refusal("internal"),
    });
    expect(faults).toEqual([bug]);
  });

  it.each([
    ["a content script", { ...PAGE }],
    ["a content script that claims to be one", { ...POPUP, origin: SITE }],
    ["another extension", { ...POPUP, id: "ponmlkjihgfedcbaponmlkjihgfedcba" }],
    ["nobody", undefined],
  ])("is not %s: no answer, and nothing is done", async (_case, sender) => {
    const showPhrase = vi.fn(reader.wallet.showPhrase);
    expect(ask(UI_REQUESTS.showPhrase, sender, { showPhrase })).toBeUndefined();
    expect(showPhrase).not.toHaveBeenCalled();
  });
});

it("no request is left out of what is tried here", () => {
  expect(Object.keys(UI_REQUESTS).sort()).toEqual(
    UiRequest.options.map(({ entries }) => entries.type.literal).sort(),
  );
});
