import { expect, it } from "vitest";
import { TuppenceError } from "../../shared/errors.ts";
import { makeTestWallet, type TestWallet } from "./testing.ts";

/** As long as a page waits for a provider that does not answer, and a little. */
const PATIENCE_MS = 20_001;

it("a payment that nobody answers is not left alone for more than five seconds while somebody waits for it", async () => {
  const reader = await makeTestWallet();
  const asked = payUnanswered(reader);
  for (let tries = 1; tries < 8; tries++) await endPause(reader, tries);
  await expectPauses(reader, [500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000, 5_000]);

  reader.clock.nowMs += PATIENCE_MS;
  await endPause(reader, 8);
  await expect(asked).rejects.toMatchObject({ code: "provider_unreachable" });
  await expectPauses(reader, [500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000, 5_000, 30_000]);
  expect(new Set(reader.provider.settled).size, "always the same bytes").toBe(1);
});

it("a payment whose time is over does not wake the wallet again and again while the provider is away", async () => {
  const reader = await makeTestWallet(undefined, {
    lookup: () => Promise.reject(new TuppenceError("provider_unreachable")),
  });
  payUnanswered(reader).catch(() => undefined);
  await expectPauses(reader, [500]);
  reader.clock.nowMs += 600_000;
  reader.wakes.splice(0);
  for (let tries = 1; tries < 4; tries++) await endPause(reader, tries);
  expect(Math.min(...reader.wakes)).toBeGreaterThanOrEqual(reader.clock.nowMs + 60_000);
});

it("a payment that nobody answers for is asked about less and less often after its time, also where the wallet dies between", async () => {
  let asked = 0;
  const reader = await makeTestWallet(undefined, {
    lookup: () => {
      asked++;
      return Promise.reject(new TuppenceError("provider_answer_invalid"));
    },
  });
  payUnanswered(reader).catch(() => undefined);
  await expectPauses(reader, [500]);
  reader.clock.nowMs += 3_700_000;
  await endPause(reader, 1);
  await reached(() => reader.pauses.length === 2);
  const overdueMs = 3_700_000 - 60_000;
  expect(reader.pauses.at(-1)?.milliseconds).toBeCloseTo(overdueMs / 20, -4);

  reader.clock.nowMs += 86_400_000;
  await endPause(reader, 2);
  await reached(() => reader.pauses.length === 3);
  expect(reader.pauses.at(-1)?.milliseconds).toBe(900_000);
  expect(asked).toBe(2);

  await reader.restarted().resume();
  await reached(() => reader.pauses.length === 4);
  expect(reader.pauses.at(-1)?.milliseconds, "not from the beginning").toBe(900_000);
  expect(asked).toBe(3);
});

it("a payment whose time was over long ago is asked about soon again where only the network was away", async () => {
  const reader = await makeTestWallet(undefined, {
    lookup: () => Promise.reject(new TuppenceError("provider_unreachable")),
  });
  payUnanswered(reader).catch(() => undefined);
  await expectPauses(reader, [500]);
  reader.clock.nowMs += 86_400_000;
  await reader.restarted().resume();
  await reached(() => reader.pauses.length === 2);
  expect(reader.pauses.at(-1)?.milliseconds).toBe(500);
});

it("a payment that pauses for long is tried at once when somebody asks again, but not at each turn of a loop", async () => {
  const reader = await makeTestWallet();
  const asked = payUnanswered(reader);
  for (let tries = 1; tries < 6; tries++) await endPause(reader, tries);
  await expectPauses(reader, [500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  reader.clock.nowMs += PATIENCE_MS;
  await endPause(reader, 6);
  await expect(asked).rejects.toMatchObject({ code: "provider_unreachable" });
  await expectPauses(reader, [500, 1_000, 2_000, 4_000, 5_000, 5_000, 30_000]);

  for (let loop = 0; loop < 10; loop++) reader.ask().catch(() => undefined);
  await expectPauses(reader, [500, 1_000, 2_000, 4_000, 5_000, 5_000, 30_000, 5_000]);
  for (let loop = 0; loop < 10; loop++) reader.ask().catch(() => undefined);
  await turns(100);
  expect(reader.provider.settled).toHaveLength(8);
  expect(new Set(reader.provider.settled).size, "always the same bytes").toBe(1);
});

/** A click and a yes, with a provider that is not there. */
function payUnanswered(reader: TestWallet): ReturnType<TestWallet["ask"]> {
  reader.provider.settleWith(() => Promise.reject(new TuppenceError("provider_unreachable")));
  const asked = reader.ask();
  asked.catch(() => undefined);
  void reached(() => reader.prompts.length === 1).then(() => reader.decide(true));
  return asked;
}

/** Ends the pause after so many tries. */
async function endPause(reader: TestWallet, tries: number): Promise<void> {
  await reached(() => reader.pauses.length === tries);
  reader.pauses.at(-1)?.end();
}

async function expectPauses(reader: TestWallet, milliseconds: readonly number[]): Promise<void> {
  await reached(() => reader.pauses.length >= milliseconds.length);
  expect(reader.pauses.map((pause) => pause.milliseconds)).toEqual(milliseconds);
  expect(reader.provider.settled).toHaveLength(milliseconds.length);
}

async function reached(look: () => boolean): Promise<void> {
  while (!look()) await turns(1);
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
