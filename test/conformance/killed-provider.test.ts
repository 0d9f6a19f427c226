/**
 * The provider dies at any instant, again and again, while clients pay; and a crowd spends the same coins in every way
 * there is. Whatever was answered is there, each coin is spent once, and the books balance.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Environment } from "../../server/config.ts";
import type { Deps } from "../../server/deps.ts";
import { floatAccount, merchantAccount, readerAccount } from "../../server/ledger/accounts.ts";
import { MeltQuoteResponse, type ProofJson } from "../../shared/protocol/cashu.ts";
import { makeBlankCoins, withdrawCoins } from "../support/coins.ts";
import { allDatabases, type TestDatabase } from "../support/database.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { isThorough } from "../support/thorough.ts";
import { isPaid, openBooks, pause, post, postUntilAnswered, preparePayment } from "./paying.ts";
import { makeAccount, startTestProvider } from "./provider.ts";

const MERCHANT = "the-lantern";
const SITE = "https://lantern.example";
const PRICE = 50_000;
const KILLS = isThorough ? 50 : 15;
const COINS_PER_LIFE = 3;
const LAST_BREATH_MS = 10;
const CROWD = isThorough ? 1_000 : 400;
const CROWD_COINS = 50;
const TIMEOUT_MS = 1_200_000;

describe.each(allDatabases())("the provider on $kind", (databases) => {
  let database: TestDatabase;
  let environment: Environment & Readonly<Record<string, string>>;

  beforeEach(async () => {
    database = await databases.make();
    environment = {
      ...database.environment,
      TUPPENCE_RATE_LIMIT_PER_MINUTE: "100000000",
      TUPPENCE_SETTLE_EVERY_SECONDS: "0",
    };
  });
  afterEach(() => database.destroy());
  afterAll(() => databases.stop());

  it(
    `keeps every payment that it answered, and spends no coin twice, killed ${KILLS} times`,
    async () => {
      const codeCache = mkdtempSync(join(tmpdir(), "tuppence-code-"));
      const provider = await startProvider({
        dataFolder: database.environment.TUPPENCE_DATA ?? "",
        environment: { ...environment, TUPPENCE_LOG_LEVEL: "fatal", NODE_COMPILE_CACHE: codeCache },
      });
      const deps = await openBooks(environment, provider);
      try {
        const coins = await prepare(deps, KILLS * COINS_PER_LIFE);
        // Two payments want each coin, and nobody gives up before there is an answer.
        const bodies = await Promise.all(
          coins.flatMap((coin) => [settleBody(provider.origin, coin), settleBody(provider.origin, coin)]),
        );
        const answers = new Map<string, string>();
        for (let life = 0; life < KILLS; life++) {
          const asked = bodies.slice(2 * COINS_PER_LIFE * life, 2 * COINS_PER_LIFE * (life + 1));
          await killWhilePaid(provider, asked, answers, life % asked.length);
        }

        const paidFor = bodies.map((body) => isPaid(answers.get(body)));
        for (const [index] of coins.entries())
          expect(paidFor.slice(2 * index, 2 * index + 2).filter(Boolean)).toHaveLength(1);
        for (const body of bodies)
          expect(await settleUntilAnswered(provider.origin, body)).toBe(answers.get(body));
        await expectBooks(deps, { merchant: coins.length, float: 0, reader: 0 });
      } finally {
        await deps.close();
        await provider.close();
        rmSync(codeCache, { recursive: true, force: true });
      }
    },
    TIMEOUT_MS,
  );

  it(
    `spends each coin once when ${CROWD} clients pay, swap and deposit the same coins at once`,
    async () => {
      const test = await startTestProvider(environment);
      const { deps } = test.provider;
      try {
        const coins = await prepare(deps, CROWD_COINS);
        const account = await makeAccount(test);
        const ways = [payWith, swapWith, depositWith];
        const requests = await Promise.all(
          Array.from({ length: CROWD }, async (_, client) => {
            const coin = coins[Math.floor((client * CROWD_COINS) / CROWD)];
            const way = ways[client % ways.length];
            if (!coin || !way) throw new Error("everybody has a coin and a way");
            return { coin, send: await way(deps, account.id, coin) };
          }),
        );
        const spent = await Promise.all(
          requests.map(async ({ coin, send }) => ({ coin, way: await send() })),
        );
        for (const coin of coins)
          expect(spent.filter((one) => one.coin === coin && one.way !== undefined)).toHaveLength(1);
        const count = (way: string) => spent.filter((one) => one.way === way).length;
        // Every way would have worked.
        for (const way of ways) {
          const [coin] = await withdrawCoins(deps, [PRICE]);
          if (!coin) throw new Error("no coin was withdrawn");
          const done = await (await way(deps, account.id, coin))();
          expect(done).toBeDefined();
          spent.push({ coin, way: done });
        }
        await expectBooks(deps, {
          merchant: count("pay"),
          float: count("swap"),
          reader: count("deposit"),
          account: account.id,
        });
      } finally {
        await test.close();
      }
    },
    TIMEOUT_MS,
  );
});

async function prepare(deps: Deps, coins: number): Promise<ProofJson[]> {
  await deps.merchants.put({ id: MERCHANT, name: "The Lantern", origins: [SITE] });
  return withdrawCoins(
    deps,
    Array.from({ length: coins }, () => PRICE),
  );
}

/** Kills it after so many answers, with the other requests under way, and starts it again. */
async function killWhilePaid(
  provider: RunningProvider,
  bodies: readonly string[],
  answers: Map<string, string>,
  answersBefore: number,
): Promise<void> {
  const least = answers.size + answersBefore;
  const all = bodies.map(async (body) => {
    answers.set(body, await settleUntilAnswered(provider.origin, body));
  });
  while (answers.size < least) await pause(1);
  await pause(Math.random() * LAST_BREATH_MS);
  await provider.kill();
  await provider.restart();
  await Promise.all(all);
}

type Send = () => Promise<"pay" | "swap" | "deposit" | undefined>;

async function payWith(deps: Deps, _accountId: string, coin: ProofJson): Promise<Send> {
  const body = await settleBody(deps.config.origin, coin);
  return async () =>
    isPaid((await post(`${deps.config.origin}/x402/settle`, body)).text) ? "pay" : undefined;
}

async function swapWith(deps: Deps, _accountId: string, coin: ProofJson): Promise<Send> {
  const outputs = makeBlankCoins(deps.mint.activeKeysetId(), [PRICE]).map(({ output }) => output);
  const body = JSON.stringify({ inputs: [coin], outputs });
  return async () =>
    (await post(`${deps.config.origin}/v1/swap`, body)).status === 200 ? "swap" : undefined;
}

async function depositWith(deps: Deps, accountId: string, coin: ProofJson): Promise<Send> {
  const address = `${deps.config.accountsOrigin}/v1/melt`;
  const asked = JSON.stringify({ request: accountId, unit: deps.mint.unit, amount: PRICE });
  const { quote } = v.parse(
    MeltQuoteResponse,
    JSON.parse((await post(`${address}/quote/account`, asked)).text),
  );
  const body = JSON.stringify({ quote, inputs: [coin] });
  return async () => ((await post(`${address}/account`, body)).status === 200 ? "deposit" : undefined);
}

async function settleBody(origin: string, coin: ProofJson): Promise<string> {
  return (await preparePayment({ origin, merchant: MERCHANT, site: SITE }, coin)).body;
}

function settleUntilAnswered(origin: string, body: string): Promise<string> {
  return postUntilAnswered(`${origin}/x402/settle`, body);
}

interface ExpectedCoins {
  readonly merchant: number;
  readonly float: number;
  readonly reader: number;
  readonly account?: string;
}

async function expectBooks({ ledger, mint }: Deps, expected: ExpectedCoins): Promise<void> {
  expect((await ledger.audit()).differences).toEqual([]);
  const inCoins = async (account: string) => Number(await ledger.balance(account)) / PRICE;
  expect(await inCoins(merchantAccount(MERCHANT))).toBe(expected.merchant);
  expect(await inCoins(floatAccount(mint.activeKeysetId()))).toBe(expected.float);
  expect(await inCoins(readerAccount(expected.account ?? ""))).toBe(expected.reader);
}
