import { describe, expect, it } from "vitest";
import { TuppenceError } from "../../shared/errors.ts";
import { signingKeyFromSeed } from "../../shared/jws.ts";
import { micros } from "../../shared/money.ts";
import { makeTestWallet, offerOf, SITE, senderAt, type TestWallet } from "./testing.ts";

const [accepted] = offerOf().accepts;
const withAccepted = (changes: object) => ({ ...offerOf(), accepts: [{ ...accepted, ...changes }] });
const withExtra = (changes: object) => withAccepted({ extra: { ...accepted?.extra, ...changes } });

describe("an offer is refused, nobody is asked and nothing is sent, where", () => {
  it.each<[string, string, object]>([
    ["it is nothing that we know", "offer_invalid", { hello: "world" }],
    ["it offers nothing", "offer_invalid", { ...offerOf(), accepts: [] }],
    ["it is of another version", "offer_invalid", { ...offerOf(), x402Version: 1 }],
    ["the title is longer than any title", "offer_invalid", withExtra({ title: "x".repeat(301) })],
    ["the amount is zero", "amount_invalid", withAccepted({ amount: "0" })],
    ["the amount is negative", "amount_invalid", withAccepted({ amount: "-50000" })],
    ["the amount has a fraction", "amount_invalid", withAccepted({ amount: "50000.5" })],
    ["the amount is a number", "amount_invalid", withAccepted({ amount: 50_000 })],
    ["the amount is above what the provider takes", "amount_too_large", withAccepted({ amount: "20001000" })],
    ["the amount is beyond all bounds", "amount_too_large", withAccepted({ amount: "9".repeat(40) })],
    ["coins cannot make the amount", "amount_not_payable", withAccepted({ amount: "50500" })],
    ["it is on another network", "currency_unknown", withAccepted({ network: "tuppence:eur" })],
    ["it asks for another currency", "currency_unknown", withAccepted({ asset: "EUR" })],
    ["it names another provider", "provider_unknown", withExtra({ provider: "https://other.example" })],
    [
      "it is for an article of another site",
      "resource_mismatch",
      { ...offerOf(), resource: { url: "https://other.example/article" } },
    ],
    ["the merchant does not exist", "merchant_unknown", withAccepted({ payTo: "nobody" })],
    ["the merchant's record is rubbish", "merchant_record_invalid", withExtra({ merchantRecord: "a.b.c" })],
  ])("%s: %s", async (_, code, offer) => {
    const reader = await makeTestWallet();
    await expect(reader.ask(offer)).rejects.toMatchObject({ code });
    await untouched(reader);
  });

  it("the merchant's record is of another merchant, or signed by somebody else", async () => {
    const reader = await makeTestWallet();
    const other = await reader.provider.merchantRecord({ sub: "somebody-else" });
    await expect(reader.ask(offerOf({ merchantRecord: other }))).rejects.toMatchObject({
      code: "merchant_record_invalid",
    });
    const forged = await reader.provider.merchantRecord(
      {},
      await signingKeyFromSeed(new Uint8Array(32).fill(9)),
    );
    await expect(reader.ask(offerOf({ merchantRecord: forged }))).rejects.toMatchObject({
      code: "merchant_record_invalid",
    });
    await untouched(reader);
  });
  it("the page is none of the merchant's sites", async () => {
    const reader = await makeTestWallet();
    const offer = offerOf({ resource: "https://evil.example/article" });
    await expect(reader.ask(offer, { origin: "https://evil.example" })).rejects.toMatchObject({
      code: "origin_not_verified",
    });
    await untouched(reader);
  });
  it("the page is sandboxed and has no origin", async () => {
    const reader = await makeTestWallet();
    await expect(reader.ask(offerOf(), { origin: "null" })).rejects.toMatchObject({ code: "origin_opaque" });
    await untouched(reader);
  });
  it("it comes from a frame, unless the merchant named the page around it", async () => {
    const reader = await makeTestWallet();
    const framed = { isTopFrame: false, topOrigin: "https://around.example" };
    await expect(reader.ask(offerOf(), framed)).rejects.toMatchObject({ code: "frame_not_allowed" });
    await untouched(reader);
    const merchantRecord = await reader.provider.merchantRecord({ frameParents: ["https://around.example"] });
    const asked = reader.ask(offerOf({ merchantRecord }), framed);
    await prompted(reader, 1);
    await reader.decide(true);
    await expect(asked).resolves.toBeDefined();
  });
  it("no click of the reader's stands behind it", async () => {
    const reader = await makeTestWallet();
    await expect(reader.ask(offerOf(), { clicked: false })).rejects.toMatchObject({ code: "click_required" });
    await untouched(reader);
  });
});

describe("questions to the reader", () => {
  it("never open twice for one tab", async () => {
    const reader = await makeTestWallet();
    const asked = reader.ask();
    await prompted(reader, 1);
    for (let loop = 0; loop < 20; loop++) {
      await expect(reader.ask(offerOf({ resource: `${SITE}/${loop}` }))).rejects.toMatchObject({
        code: "prompt_open",
      });
    }
    // Each of those clicks brings the one question to the front again.
    expect(new Set(reader.prompts.map(({ approvalId }) => approvalId)).size).toBe(1);
    await reader.decide(false);
    await expect(asked).rejects.toMatchObject({ code: "declined" });
    await untouched(reader, 21);
  });
  it("are paused for longer and longer after refusals, in other tabs of the site too, and across a restart", async () => {
    const reader = await makeTestWallet();
    await refuseOnce(reader, 1);
    await refuseOnce(reader, 2);
    await expect(reader.ask()).rejects.toMatchObject({ code: "prompts_paused" });
    await expect(reader.ask(offerOf(), { tabId: 7 })).rejects.toMatchObject({ code: "prompts_paused" });
    const restarted = reader.restarted();
    const request = {
      v: 1,
      id: "request-again",
      type: "pay",
      payload: { offer: { ...offerOf() }, mode: "direct" },
    } as const;
    await expect(restarted.page(request, senderAt())).rejects.toMatchObject({ code: "prompts_paused" });
    reader.clock.nowMs += 5_001;
    await refuseOnce(reader, 3);
    reader.clock.nowMs += 5_001;
    await expect(reader.ask()).rejects.toMatchObject({ code: "prompts_paused" });
    reader.clock.nowMs += 15_000;
    const asked = reader.ask();
    await prompted(reader, 4);
    await reader.decide(true);
    await expect(asked).resolves.toBeDefined();
  });
  it("end after a while, and a late yes pays nothing", async () => {
    const reader = await makeTestWallet();
    const asked = reader.ask();
    await prompted(reader, 1);
    reader.clock.nowMs += 600_001;
    await expect(reader.decide(true)).rejects.toMatchObject({ code: "approval_expired" });
    await expect(asked).rejects.toMatchObject({ code: "approval_expired" });
    await untouched(reader, 1);
  });
  it("pay what stood in the window or nothing, whatever the page offers by then", async () => {
    const reader = await makeTestWallet();
    const asked = reader.ask();
    await prompted(reader, 1);
    await expect(reader.decide(true, { amount: micros(40_000) })).rejects.toMatchObject({
      code: "offer_changed",
    });
    expect(reader.provider.settled).toEqual([]);
    await reader.decide(true, { amount: micros(50_000) });
    await expect(asked).resolves.toMatchObject({ receipt: expect.any(String) });
  });
  it("say why money that is there cannot be used, instead of asking for more of it", async () => {
    const account = async () => ({
      id: "a".repeat(43),
      currency: "USD",
      balance: "5000000",
      frozen: false,
      withdrawable: micros(0),
    });
    const reader = await makeTestWallet([], { account, register: account });
    const asked = reader.ask();
    asked.catch(() => undefined);
    await prompted(reader, 1);
    await expect(reader.decide(true)).rejects.toMatchObject({ code: "withdraw_limit" });
  });
  it("are answered once: a window that is clicked twice pays once", async () => {
    const reader = await makeTestWallet();
    const asked = reader.ask();
    await prompted(reader, 1);
    await Promise.all([reader.decide(true), reader.decide(true), reader.decide(false)]);
    await asked;
    expect(reader.provider.settled).toHaveLength(1);
  });
  it("do not charge twice where two windows ask about one article, and the reader agrees in both", async () => {
    const reader = await makeTestWallet();
    const asked = [reader.ask(), reader.ask(offerOf(), { tabId: 5 })];
    await prompted(reader, 2);
    for (const { approvalId } of reader.prompts)
      await reader.wallet.decide({ kind: "ui", type: "decide", approvalId, approve: true });
    const [here, there] = await Promise.all(asked);
    expect(there).toEqual(here);
    expect(reader.provider.settled).toHaveLength(1);
    expect((await reader.wallet.snapshot()).approvals.map(({ state }) => state)).toEqual(["paid", "paid"]);
  });
  it("outlive the process: a decision after a restart pays, and the page's repeated request gets the receipt", async () => {
    const reader = await makeTestWallet();
    const request = {
      v: 1,
      id: "request-kept",
      type: "pay",
      payload: { offer: { ...offerOf() }, mode: "direct" },
    } as const;
    // Never answered: its process dies.
    reader.wallet.page(request, senderAt()).catch(() => undefined);
    await prompted(reader, 1);
    const restarted = reader.restarted();
    const repeated = restarted.page(request, senderAt({ clicked: false }));
    await restarted.decide({
      kind: "ui",
      type: "decide",
      approvalId: reader.prompts[0]?.approvalId ?? "",
      approve: true,
    });
    expect(await repeated).toMatchObject({ receipt: expect.any(String) });
    expect(await restarted.page(request, senderAt({ clicked: false }))).toEqual(await repeated);
    expect(new Set(reader.provider.settled).size).toBe(1);
    expect(reader.prompts).toHaveLength(1);
  });
});

describe("paying", () => {
  it("does not pay twice for one article, whoever asks how often", async () => {
    const reader = await makeTestWallet();
    await buy(reader);
    const results = await Promise.all([
      reader.ask(),
      reader.ask(offerOf(), { tabId: 5 }),
      reader.ask(offerOf({ amount: 10_000n })),
    ]);
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
    expect(reader.provider.settled).toHaveLength(1);
  });
  it("does not pay again while a refund is under way: refused, it leaves the article paid for", async () => {
    const reader = await makeTestWallet();
    await keepKeyset(reader);
    await buy(reader);
    const [payment] = await reader.store.read((tables) => tables.payments.all());
    reader.wakes.splice(0);
    reader.clock.nowMs += 600_000;
    const refund = reader.wallet.refund({ kind: "ui", type: "refund", paymentId: payment?.id ?? "" });
    await expect(refund).rejects.toMatchObject({ code: "provider_unreachable" });
    expect(reader.wakes, "the merchant's window does not wait").toEqual([reader.clock.nowMs + 60_000]);
    await expect(reader.ask()).rejects.toMatchObject({ code: "provider_unreachable" });
    expect(reader.prompts).toHaveLength(1);
    expect(reader.provider.settled).toHaveLength(1);
  });
  it("leaves no swap begun where the payment came first after all", async () => {
    const reader = await makeTestWallet();
    await keepKeyset(reader);
    reader.provider.settleWith(() => Promise.reject(new TuppenceError("provider_unreachable")));
    reader.ask().catch(() => undefined);
    await prompted(reader, 1);
    await reader.decide(true);
    await reached(() => reader.provider.settled.length > 0);
    const stored = async () =>
      reader.store.read(async (tables) => ({
        payments: (await tables.payments.all()).map(({ state }) => state),
        swaps: (await tables.swaps.all()).map(({ state }) => state),
      }));
    reader.clock.nowMs += 3_600_000;
    void reader.restarted().resume();
    await reached(async () => (await stored()).swaps.length > 0);
    expect(await stored()).toEqual({ payments: ["cancelling"], swaps: ["created"] });

    reader.provider.settleWith((_, usual) => usual());
    await reader.provider.port.settle(reader.provider.settled[0] ?? "");
    void reader.restarted().resume();
    await reached(async () => (await stored()).payments.includes("paid"));
    expect((await stored()).swaps).toEqual(["failed"]);
  });
  it("sends no proof with a DLEQ, and the same bytes when nobody answered", async () => {
    const reader = await makeTestWallet();
    const asked = reader.ask();
    asked.catch(() => undefined);
    let isDown = true;
    reader.provider.settleWith(async (_, usual) => {
      if (isDown) throw new TuppenceError("provider_unreachable");
      return usual();
    });
    await prompted(reader, 1);
    await reader.decide(true);
    await reached(() => reader.provider.settled.length === 1);
    isDown = false;
    await reader.restarted().resume();
    expect(reader.provider.settled).toHaveLength(2);
    expect(new Set(reader.provider.settled).size).toBe(1);
    expect(reader.provider.settled[0]).not.toContain("dleq");
    expect((await reader.store.read((tables) => tables.payments.all()))[0]?.state).toBe("paid");
  });
  it("takes no receipt for another payment as its own, and keeps the coins for it", async () => {
    const reader = await makeTestWallet();
    await buy(reader);
    const stolen = await reader.provider.port.settle(reader.provider.settled[0] ?? "");
    reader.provider.settleWith(async () => stolen);
    reader.ask(offerOf({ resource: `${SITE}/other`, amount: 20_000n })).catch(() => undefined);
    await prompted(reader, 2);
    await reader.decide(true);
    await reached(
      async () =>
        (await reader.store.read((tables) => tables.payments.where("state", "unknown"))).length === 1,
    );
    const snapshot = await reader.wallet.snapshot();
    expect(snapshot.payments.map(({ state }) => state).sort()).toEqual(["paid", "pending"]);
    expect(snapshot.balance).toMatchObject({ coins: "30000", inFlight: "20000" });
  });
  it("frees coins and budget on a definite refusal, and says which", async () => {
    const reader = await makeTestWallet();
    await buy(reader, micros(200_000));
    reader.provider.settleWith(async () => ({
      success: false,
      errorReason: "seal_outdated",
      transaction: "",
      network: "tuppence:usd",
    }));
    await expect(reader.ask(offerOf({ resource: `${SITE}/other`, amount: 20_000n }))).rejects.toMatchObject({
      code: "seal_outdated",
    });
    const { balance, allowances } = await reader.wallet.snapshot();
    expect(balance).toMatchObject({ total: "50000", inFlight: "0" });
    expect(allowances[0]).toMatchObject({ left: "200000" });
  });
  it("gives no budget back to an allowance that came after the payment", async () => {
    const reader = await makeTestWallet([10_000, 10_000, 20_000, 20_000]);
    const at = (path: string, amount: bigint) => offerOf({ resource: `${SITE}/${path}`, amount });
    const approved = async (path: string) => {
      const asked = reader.ask(at(path, 10_000n));
      await prompted(reader, reader.prompts.length + 1);
      await reader.decide(true, { allowance: micros(20_000) });
      await asked;
      reader.clock.nowMs += 1_000;
    };
    await approved("first");
    reader.provider.settleWith(() => Promise.reject(new TuppenceError("provider_unreachable")));
    reader.ask(at("unknown", 20_000n)).catch(() => undefined);
    await reached(() => reader.provider.settled.length > 1);
    reader.clock.nowMs += 1_000;
    reader.provider.settleWith((_, usual) => usual());
    // The budget is used up, so the reader is asked, and gives another one.
    await approved("second");
    await reader.ask(at("third", 20_000n));
    reader.provider.settleWith(async () => ({
      success: false,
      errorReason: "seal_outdated",
      transaction: "",
      network: "tuppence:usd",
    }));
    void reader.restarted().resume();
    await reached(
      async () =>
        (await reader.store.read((tables) => tables.payments.where("state", "failed"))).length === 1,
    );
    expect((await reader.wallet.snapshot()).allowances[0]).toMatchObject({ limit: "20000", left: "0" });
  });
  it("keeps to the allowance of the site and merchant that it was given to", async () => {
    const reader = await makeTestWallet();
    await buy(reader, micros(20_000));
    await reader.ask(offerOf({ resource: `${SITE}/a`, amount: 20_000n }));
    expect(reader.prompts).toHaveLength(1);
    const asked = reader.ask(offerOf({ resource: `${SITE}/b`, amount: 10_000n }));
    await prompted(reader, 2);
    await reader.decide(false);
    await expect(asked).rejects.toMatchObject({ code: "declined" });
  });
});

describe("what a page may know", () => {
  it("is nothing, on a site that was never dealt with, until a click", async () => {
    const reader = await makeTestWallet();
    expect(await reader.wallet.mayAnswer(senderAt({ clicked: false }))).toBe(false);
    expect(await reader.wallet.mayAnswer(senderAt({ clicked: true }))).toBe(true);
  });
  it("is nothing in a private window without a click, although the site is known", async () => {
    const reader = await makeTestWallet();
    await buy(reader);
    const sender = senderAt({ isPrivate: true, clicked: false, tabId: 9 });
    expect(await reader.wallet.mayAnswer(sender)).toBe(false);
    await expect(entitlement(reader, sender)).rejects.toMatchObject({ code: "click_required" });
    expect(await entitlement(reader, senderAt({ clicked: false, tabId: 9 }))).toMatchObject({
      receipt: expect.any(String),
    });
  });
  it("is not, outside, what was bought in a private window, until a click", async () => {
    const reader = await makeTestWallet();
    const asked = reader.ask(offerOf(), { isPrivate: true, tabId: 7 });
    await prompted(reader, 1);
    await reader.decide(true);
    await asked;
    const other = reader.ask(offerOf({ resource: `${SITE}/other`, amount: 20_000n }));
    await prompted(reader, 2);
    await reader.decide(true);
    await other;
    const loaded = senderAt({ clicked: false });
    await expect(entitlement(reader, loaded)).rejects.toMatchObject({ code: "entitlement_unknown" });
    await expect(reader.ask(offerOf(), { clicked: false })).rejects.toMatchObject({ code: "click_required" });
    expect(await entitlement(reader, senderAt())).toMatchObject({ receipt: expect.any(String) });
    await reader.ask();
    expect(reader.provider.settled).toHaveLength(2);
  });
  it("ends when the reader forgets the site", async () => {
    const reader = await makeTestWallet();
    await buy(reader, micros(100_000));
    expect(await reader.wallet.knownOrigins()).toEqual([SITE]);
    await reader.wallet.forgetSite({ kind: "ui", type: "forgetSite", origin: SITE });
    expect(await reader.wallet.knownOrigins()).toEqual([]);
    expect(await reader.wallet.mayAnswer(senderAt({ clicked: false }))).toBe(false);
    await expect(entitlement(reader, senderAt({ clicked: false }))).rejects.toMatchObject({
      code: "entitlement_unknown",
    });
  });
  it("is not what was bought on another site", async () => {
    const reader = await makeTestWallet();
    await buy(reader);
    const spy = senderAt({ origin: "https://spy.example", clicked: true });
    await expect(entitlement(reader, spy)).rejects.toMatchObject({ code: "resource_mismatch" });
  });
  it("is a few resources per page, not a list of everything", async () => {
    const reader = await makeTestWallet();
    const codes: unknown[] = [];
    for (let index = 0; index < 12; index++) {
      await entitlement(reader, senderAt(), `${SITE}/${index}`).catch((error: unknown) =>
        codes.push(error instanceof TuppenceError && error.code),
      );
    }
    expect(codes.slice(0, 8)).toEqual(Array(8).fill("entitlement_unknown"));
    expect(codes.slice(8)).toEqual(Array(4).fill("rate_limited"));
  });
});

async function buy(reader: TestWallet, allowance?: ReturnType<typeof micros>): Promise<void> {
  const asked = reader.ask();
  await prompted(reader, reader.prompts.length + 1);
  await reader.decide(true, allowance === undefined ? {} : { allowance });
  await asked;
}

/** As it would be after the provider was asked. */
async function keepKeyset({ store }: TestWallet): Promise<void> {
  const id = `01${"ab".repeat(32)}`;
  await store.transaction((tables) => tables.keysets.put({ id, unit: "usd6", active: true, keys: {} }));
}

async function refuseOnce(reader: TestWallet, number: number): Promise<void> {
  const asked = reader.ask();
  await prompted(reader, number);
  await reader.decide(false);
  await expect(asked).rejects.toMatchObject({ code: "declined" });
}

function entitlement(reader: TestWallet, sender: ReturnType<typeof senderAt>, resource = `${SITE}/article`) {
  const payload = { merchant: "the-lantern", resource, challenge: "0123456789abcdef" };
  return reader.wallet.page({ v: 1, id: "entitlement-1", type: "entitlement", payload }, sender);
}

function prompted(reader: TestWallet, count: number): Promise<void> {
  return reached(() => reader.prompts.length >= count);
}

async function reached(look: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await look())) await new Promise((resolve) => setImmediate(resolve));
}

/** No coin moved, nothing was sent. */
async function untouched(reader: TestWallet, prompts = 0): Promise<void> {
  expect(reader.prompts).toHaveLength(prompts);
  expect(reader.provider.settled).toEqual([]);
  expect((await reader.wallet.snapshot()).balance).toMatchObject({
    total: "100000",
    account: "0",
    coins: "100000",
    inFlight: "0",
  });
  expect(reader.faults).toEqual([]);
}
