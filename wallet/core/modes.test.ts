/** Play money and real money are two providers'. A wallet deals with one of them, and knows the other's offers. */
import { expect, it } from "vitest";
import type { ProviderInfo } from "../../shared/protocol/provider.ts";
import { createMemoryStore, createWallet } from "./index.ts";
import { makeTestWallet, offerOf, senderAt, type TestWallet } from "./testing.ts";

const OTHER = "https://other.pay.example";

async function walletAt(changes: Partial<ProviderInfo>): Promise<TestWallet> {
  const { provider } = await makeTestWallet([]);
  return makeTestWallet(undefined, { info: async () => ({ ...provider.info, ...changes }) });
}

it.each([
  ["test", "live", "offer_of_test_mode"],
  ["live", "test", "offer_of_live_mode"],
] as const)(
  "an offer for %s money is told as that to a wallet of %s money, and nobody is asked",
  async (_, mode, code) => {
    const reader = await walletAt({ mode, counterpart: OTHER });
    await expect(reader.ask(offerOf({ provider: OTHER }))).rejects.toMatchObject({ code });
    await expect(reader.ask(offerOf({ provider: "https://third.example" }))).rejects.toMatchObject({
      code: "provider_unknown",
    });
    expect(reader.prompts).toEqual([]);
    expect(reader.provider.settled).toEqual([]);
    expect(await reader.wallet.snapshot()).toMatchObject({ payments: [], approvals: [] });
  },
);

it("is silent about it to a page that was never dealt with and that nobody clicked on", async () => {
  const reader = await walletAt({ counterpart: OTHER });
  expect(await reader.wallet.mayAnswer(senderAt({ clicked: false }))).toBe(false);
});

it.each(["first", "last"])(
  "an offer that also takes the wallet's own money, %s, is paid with that",
  async (place) => {
    const reader = await walletAt({ counterpart: OTHER });
    const own = offerOf();
    const accepts = [...own.accepts, ...offerOf({ provider: OTHER }).accepts];
    const paying = reader.ask({ ...own, accepts: place === "first" ? accepts : accepts.toReversed() });
    await expect.poll(() => reader.prompts).toHaveLength(1);
    await reader.decide(true);
    expect(await paying).toHaveProperty("receipt");
  },
);

it("a wallet of test mode takes no provider of real money, whatever address it was made for", async () => {
  const { provider } = await makeTestWallet([]);
  const open = (info: Partial<ProviderInfo>) =>
    createWallet({
      store: createMemoryStore(),
      clock: { nowMs: Date.now },
      random: { bytes: (count) => new Uint8Array(count) },
      connect: (origin) => ({ ...provider.port, info: async () => ({ ...provider.info, origin, ...info }) }),
      prompt: { open: async () => undefined },
      scheduler: { delay: () => new Promise(() => undefined), wakeAt: () => undefined },
      defaultProviderOrigin: OTHER,
      mode: "test",
    });
  const topUp = { kind: "ui", type: "topUp", amount: 5_000_000n } as never;
  const wallet = open({ mode: "live" });
  await wallet.create({ kind: "ui", type: "createWallet", provider: "https://real.example" });
  await expect(wallet.topUp(topUp)).rejects.toMatchObject({ code: "provider_answer_invalid" });
  expect(await wallet.snapshot()).toMatchObject({
    testMode: "on",
    phraseReminder: "none",
    provider: { origin: OTHER, mode: "test" },
    topUps: [],
  });
  // The same wallet gets further with a provider of test mode: this one makes no top-ups.
  const playing = open({ mode: "test" });
  await playing.create({ kind: "ui", type: "createWallet" });
  await expect(playing.topUp(topUp)).rejects.toMatchObject({ code: "provider_unreachable" });
});

it.each([
  [{}, "none"],
  [{ counterpart: OTHER }, "offered"],
  [{ counterpart: OTHER, mode: "test" }, "none"],
] as const)(
  "offers test mode where the provider has one, and not from within it: %j is %s",
  async (info, testMode) => {
    expect(await (await walletAt(info)).wallet.snapshot()).toMatchObject({ testMode });
  },
);

it("is busy while it asks, and while a payment is on its way, and not for ever", async () => {
  const reader = await walletAt({});
  let answer = () => {};
  reader.provider.settleWith(async (_body, usual) => {
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return usual();
  });
  const { wallet } = reader;
  expect(await wallet.isBusy()).toBe(false);
  const paying = reader.ask();
  await expect.poll(() => reader.prompts).toHaveLength(1);
  expect(await wallet.isBusy()).toBe(true);
  await reader.decide(true);
  await expect.poll(() => reader.provider.settled).toHaveLength(1);
  expect(await wallet.isBusy()).toBe(true);
  reader.clock.nowMs += 600_000;
  expect(await wallet.isBusy()).toBe(false);
  reader.clock.nowMs -= 600_000;
  answer();
  await paying;
  expect(await wallet.isBusy()).toBe(false);

  void reader.ask(offerOf({ resource: "https://lantern.example/other" })).catch(() => undefined);
  await expect.poll(() => reader.prompts).toHaveLength(2);
  expect(await wallet.isBusy()).toBe(true);
  reader.clock.nowMs += 86_400_001;
  expect(await wallet.isBusy()).toBe(false);
});

it("is busy while money is asked back, because the merchant's window does not wait for the reader's return", async () => {
  const reader = await makeTestWallet();
  const paying = reader.ask(offerOf());
  await expect.poll(() => reader.prompts).toHaveLength(1);
  expect(await reader.wallet.isBusy()).toBe(true);
  await reader.decide(true);
  await paying;
  await expect.poll(() => reader.wallet.isBusy()).toBe(false);
  await reader.store.transaction(async (tables) => {
    for (const payment of await tables.payments.all())
      await tables.payments.put({ ...payment, state: "refunding" });
  });
  expect(await reader.wallet.isBusy()).toBe(true);
});

it("is not busy with a question that waits for a top-up", async () => {
  const reader = await makeTestWallet([]);
  const paying = reader.ask(offerOf());
  await expect.poll(() => reader.prompts).toHaveLength(1);
  expect(await reader.wallet.isBusy()).toBe(false);
  await reader.decide(false);
  await expect(paying).rejects.toMatchObject({ code: "declined" });
});
