/** Money in: limits hold whatever is asked at the same time, and a stolen card costs at most what was configured. */
import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { afterEach, beforeEach, expect, it } from "vitest";
import { applyGatewayEvent, signGatewayEvent } from "../../server/gateways/index.ts";
import { LOSS, provisionalAccount, readerAccount } from "../../server/ledger/accounts.ts";
import type { Ledger } from "../../server/ledger/ledger.ts";
import { finalizeTopUps, writeOff } from "../../server/topups/index.ts";
import { insertTopUp } from "../../server/topups/store.ts";
import { micros } from "../../shared/money.ts";
import { Problem, TopUpResponse } from "../../shared/protocol/provider.ts";
import { makeAccount, startTestProvider, type TestAccount, type TestProvider } from "./provider.ts";
import { withdraw } from "./withdraw.ts";

let test: TestProvider;
let account: TestAccount;
beforeEach(async () => {
  test = await startTestProvider({
    TUPPENCE_TOPUP_MOST: "20",
    TUPPENCE_TOPUP_PER_DAY: "40",
    TUPPENCE_PROVISIONAL_LIMIT: "5",
    TUPPENCE_SANDBOX_FINAL_SECONDS: "3600",
  });
  account = await makeAccount(test);
});
afterEach(async () => {
  expect((await ledger().audit()).differences).toEqual([]);
  await test.close();
});

const newId = () => randomBytes(16).toString("hex");
const ledger = () => test.provider.deps.ledger;
const start = async (id: string, amount: string) =>
  account.call("POST", "/topups", { id, amount, gateway: "sandbox" });
const me = async () => (await account.call("GET", "/accounts/me")).body;
const codeOf = ({ body }: { body: unknown }) => v.parse(Problem, body).code;

it("starts a top-up once: asked again it is the same, with another amount it is a conflict", async () => {
  const id = newId();
  const first = await start(id, "5000000");
  expect(first.status).toBe(201);
  expect(await start(id, "5000000")).toEqual({ status: 200, body: first.body });
  expect(codeOf(await start(id, "6000000"))).toBe("request_conflict");
  expect(v.parse(TopUpResponse, first.body)).toMatchObject({
    state: "open",
    checkoutUrl: `${test.accountsOrigin}/checkout/sandbox/${id}`,
  });
});

it("shows a top-up to the account that started it and to nobody else", async () => {
  const id = newId();
  await start(id, "5000000");
  const stranger = await makeAccount(test);
  expect(codeOf(await stranger.call("GET", `/topups/${id}`))).toBe("topup_unknown");
  expect(codeOf(await stranger.call("POST", "/topups", { id, amount: "5000000", gateway: "sandbox" }))).toBe(
    "request_conflict",
  );
});

it.each([
  ["0", "request_invalid"],
  ["-5", "request_invalid"],
  ["1.5", "request_invalid"],
  ["1500", "amount_not_payable"],
  ["500000", "topup_limit"],
  ["1000500", "amount_not_payable"],
  ["20001000", "topup_limit"],
])("refuses %s micros", async (amount, code) => {
  expect(codeOf(await start(newId(), amount))).toBe(code);
});

it("credits an approved top-up once, however often the gateway says so", async () => {
  const id = await account.topUp(5_000_000n);
  const answers = await Promise.all(Array.from({ length: 5 }, () => send("approved", id, 5_000_000n)));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(await me()).toMatchObject({ balance: "5000000", withdrawable: "5000000" });
});

it("holds the day's limit when many top-ups are approved at once, and opens again the next day", async () => {
  const ids = Array.from({ length: 6 }, newId);
  for (const id of ids) expect((await start(id, "10000000")).status).toBe(201);
  const answers = await Promise.all(ids.map((id) => send("approved", id, 10_000_000n)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(4);
  expect(answers.filter(({ code }) => code === "topup_limit")).toHaveLength(2);
  expect(await me()).toMatchObject({ balance: "40000000" });
  expect(codeOf(await start(newId(), "1000000"))).toBe("topup_limit");
  test.clock.ahead += 86_400_000;
  expect((await start(newId(), "1000000")).status).toBe(201);
});

it("takes no event that is unsigned, altered, old, for another amount, or for nothing", async () => {
  const id = newId();
  await start(id, "5000000");
  const secret = test.provider.deps.secrets.gatewaySecret;
  const event = { type: "approved", topUpId: id, amount: micros(5_000_000n) } as const;
  const now = Math.floor(Date.now() / 1_000);
  const good = signGatewayEvent(secret, event, now);
  expect((await post({ ...good, headers: { "content-type": "application/json" } })).code).toBe(
    "gateway_event_invalid",
  );
  expect((await post({ ...good, body: good.body.replace("5000000", "9000000") })).code).toBe(
    "gateway_event_invalid",
  );
  expect((await post(signGatewayEvent(randomBytes(32), event, now))).code).toBe("gateway_event_invalid");
  expect((await post(signGatewayEvent(secret, event, now - 900))).code).toBe("gateway_event_invalid");
  expect((await post(signGatewayEvent(secret, { ...event, amount: micros(9_000_000n) }, now))).code).toBe(
    "request_conflict",
  );
  expect((await post(signGatewayEvent(secret, { ...event, topUpId: newId() }, now))).code).toBe(
    "topup_unknown",
  );
  expect(await me()).toMatchObject({ balance: "0" });
  expect((await post(good)).status).toBe(200);
});

it("hands out coins for money that is not final up to the limit, and for the rest when it is", async () => {
  await account.topUp(20_000_000n);
  expect(await me()).toMatchObject({ balance: "20000000", withdrawable: "5000000" });
  const race = await Promise.all([
    withdraw(test, account, 5_000_000n),
    withdraw(test, account, 5_000_000n),
    withdraw(test, account, 1_000n),
  ]);
  const taken = race.filter(({ status }) => status === 200).reduce((sum, { amount }) => sum + amount, 0n);
  expect(taken).toBeLessThanOrEqual(5_000_000n);
  expect(race.filter(({ status }) => status !== 200).every(({ code }) => code === "withdraw_limit")).toBe(
    true,
  );
  test.clock.ahead += 3_601_000;
  expect(await withdraw(test, account, 15_000_000n)).toMatchObject({ status: 200 });
  expect(await ledger().balance(provisionalAccount(account.id))).toBe(0n);
});

it("hands out all of a top-up that was approved while its reader left", async () => {
  const id = newId();
  await start(id, "20000000");
  const event = { type: "abandoned", topUpId: id, amount: micros(20_000_000n) } as const;
  const left = await applyGatewayEvent(
    { ...test.provider.deps, ledger: approvedMeanwhile(id) },
    "sandbox",
    event,
  );
  expect(left.state).toBe("paid");
  expect(await me()).toMatchObject({ balance: "20000000", withdrawable: "5000000" });
  test.clock.ahead += 3_601_000;
  await finalizeTopUps(test.provider.deps);
  expect(await ledger().balance(provisionalAccount(account.id))).toBe(0n);
  expect(await withdraw(test, account, 20_000_000n)).toMatchObject({ status: 200 });
});

/** The ledger, for somebody who has just read how the top-up stands when it is approved. */
function approvedMeanwhile(id: string): Ledger {
  let approved = false;
  return {
    ...ledger(),
    async records(keys) {
      const found = await ledger().records(keys);
      if (!approved) {
        approved = true;
        expect((await send("approved", id, 20_000_000n)).status).toBe(200);
      }
      return found;
    },
  };
}

it("finds money that is not final yet behind any number of top-ups that came to nothing", async () => {
  await account.topUp(20_000_000n);
  const { database, now } = test.provider.deps;
  const nothing = {
    accountId: account.id,
    gateway: "sandbox",
    amount: micros(1_000_000n),
    createdAt: now() + 1,
  };
  await Promise.all(Array.from({ length: 1_001 }, () => insertTopUp(database, { id: newId(), ...nothing })));
  test.clock.ahead += 3_601_000;
  await finalizeTopUps(test.provider.deps);
  expect(await ledger().balance(provisionalAccount(account.id))).toBe(0n);
});

it("loses at most the limit to a card that is charged back after its coins are spent, and the books show it", async () => {
  const id = await account.topUp(20_000_000n);
  expect(await withdraw(test, account, 5_000_000n)).toMatchObject({ status: 200 });
  expect(await withdraw(test, account, 1_000n)).toMatchObject({ code: "withdraw_limit" });
  const answers = await Promise.all([
    send("charged_back", id, 20_000_000n),
    send("charged_back", id, 20_000_000n),
  ]);
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(await me()).toMatchObject({ balance: "-5000000", frozen: true, withdrawable: "0" });
  expect((await account.call("GET", `/topups/${id}`)).body).toMatchObject({ state: "charged_back" });
  expect(await withdraw(test, account, 1_000n)).toMatchObject({ code: "insufficient_balance" });

  expect(await writeOff(test.provider.deps, account.id, id)).toBe(5_000_000n);
  expect(await writeOff(test.provider.deps, account.id, id)).toBe(0n);
  const { trialBalance } = await ledger().audit();
  expect(trialBalance.find(({ account: name }) => name === LOSS)).toMatchObject({ balance: -5_000_000n });
  expect(await ledger().balance(readerAccount(account.id))).toBe(0n);
});

it("freezes an account that still has money: its coins stay, new ones are refused", async () => {
  const first = await account.topUp(5_000_000n);
  await account.topUp(5_000_000n);
  test.clock.ahead += 3_601_000;
  await finalizeTopUps(test.provider.deps);
  await send("charged_back", first, 5_000_000n);
  expect(await me()).toMatchObject({ balance: "5000000", frozen: true });
  expect(await withdraw(test, account, 1_000n)).toMatchObject({ code: "account_frozen" });
});

it("shows a checkout that decides once, and money for nothing but an approval", async () => {
  const [approved, declined, left] = [newId(), newId(), newId()];
  for (const id of [approved, declined, left]) await start(id, "5000000");
  const page = await fetch(`${test.accountsOrigin}/checkout/sandbox/${approved}`);
  const html = await page.text();
  expect(html).toContain("Play money");
  expect(html).toContain("$5.00");
  expect(html).not.toContain("<script");
  expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
  expect(await decide(declined, "decline")).toContain("Declined");
  expect(await decide(declined, "approve")).toContain("Declined");
  expect(await decide(left, "abandon")).toContain("You can close this tab");
  expect(await me()).toMatchObject({ balance: "0" });
  expect(await decide(approved, "approve")).toContain("Paid");
  expect(await decide(approved, "approve")).toContain("Paid");
  expect(await me()).toMatchObject({ balance: "5000000" });
  const states = await Promise.all(
    [approved, declined, left].map(
      async (id) => v.parse(TopUpResponse, (await account.call("GET", `/topups/${id}`)).body).state,
    ),
  );
  expect(states).toEqual(["paid", "declined", "abandoned"]);
  expect((await fetch(`${test.accountsOrigin}/checkout/sandbox/${newId()}`)).status).toBe(404);
});

async function decide(id: string, decision: string): Promise<string> {
  return (
    await fetch(`${test.accountsOrigin}/checkout/sandbox/${id}`, {
      method: "POST",
      body: new URLSearchParams({ decision }),
    })
  ).text();
}

async function send(type: "approved" | "charged_back", topUpId: string, amount: bigint) {
  const now = Math.floor((Date.now() + test.clock.ahead) / 1_000);
  return post(
    signGatewayEvent(
      test.provider.deps.secrets.gatewaySecret,
      { type, topUpId, amount: micros(amount) },
      now,
    ),
  );
}

async function post(event: { body: string; headers: Record<string, string> }) {
  const response = await fetch(`${test.accountsOrigin}/gateways/sandbox/events`, {
    method: "POST",
    ...event,
  });
  const problem = v.safeParse(Problem, await response.json());
  return { status: response.status, code: problem.success ? problem.output.code : undefined };
}
