/**
 * What merchants give back, with two providers on one database and with one that is killed again and again: a payment comes
 * back once, a settlement and a grant never both take its money, and whoever asks again hears the same.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { createApiKey } from "../../server/access/api-keys.ts";
import { auditProvider } from "../../server/audit.ts";
import type { Environment } from "../../server/config.ts";
import { grantRefund } from "../../server/payments/grant.ts";
import { COLLECT_WITHIN_SECONDS, returnUncollected } from "../../server/payments/uncollected.ts";
import { settleAll } from "../../server/settlement/index.ts";
import { RefundResponse } from "../../shared/protocol/provider.ts";
import { makeBlankCoins, openCoins, withdrawCoins } from "../support/coins.ts";
import { allDatabases, type TestDatabase } from "../support/database.ts";
import { startProvider } from "../support/provider.ts";
import {
  MERCHANT,
  openShop,
  REFUND_WINDOW_SECONDS,
  refusal,
  type Shop,
  signatureJson,
} from "../support/shop.ts";
import { isPaid, openBooks, pause, postUntilAnswered, preparePayment } from "./paying.ts";

const PRICE = 200_000;
const ROUNDS = 12;
const KILLS = 8;
const PAYMENTS_PER_LIFE = 4;
const LAST_BREATH_MS = 15;
const TIMEOUT_MS = 600_000;

describe.each(allDatabases())("refunds that merchants give on $kind", (databases) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await databases.make();
  });
  afterEach(() => database.destroy());
  afterAll(() => databases.stop());

  it(
    "come back once, whichever of two providers the merchant, the reader and the settlement meet",
    async () => {
      const one = await openShop(database.environment);
      const other = await openShop(database.environment);
      const both = (milliseconds: number) => {
        one.clock.now += milliseconds;
        other.clock.now = one.clock.now;
      };
      try {
        for (let round = 0; round < ROUNDS; round++) {
          const made = [];
          for (let payments = 0; payments < 3; payments++)
            made.push(await one.pay(one.offer({ amount: BigInt(PRICE) }), [PRICE]));
          const [raced, settled, forgotten] = made;
          if (!raced || !settled || !forgotten) throw new Error("three payments");
          const give = (shop: Shop, { payment }: typeof raced) =>
            grantRefund(shop.deps, MERCHANT, payment.paymentId).then(({ state }) => state);

          const blanks = makeBlankCoins(one.deps.mint.activeKeysetId(), [PRICE]);
          const [given, taken] = await Promise.allSettled([give(one, raced), other.refund(raced, blanks)]);
          if (given.status === "rejected") expect(String(given.reason)).toMatch("refund_done");
          if (taken.status === "rejected") throw taken.reason;
          book(one, blanks, taken.value);

          both(REFUND_WINDOW_SECONDS * 1_000);
          const [state] = await Promise.all([
            give(one, settled),
            settleAll(other.deps, { now: other.clock.now }),
            give(other, forgotten),
          ]);
          expect(["granted", "waiting"]).toContain(state);
          expect(await Promise.all([give(one, settled), give(other, settled)])).toEqual([state, state]);
        }
        both(REFUND_WINDOW_SECONDS * 1_000);
        await one.pay(one.offer({ amount: 10_000_000n }), [10_000_000]);
        both(REFUND_WINDOW_SECONDS * 1_000);
        await Promise.all([one, other].map(({ deps }) => settleAll(deps, { now: one.clock.now })));
        both(COLLECT_WITHIN_SECONDS * 1_000);
        await Promise.all(
          [one, other].map(({ deps }) => returnUncollected(deps.ledger, MERCHANT, one.clock.now)),
        );
        await Promise.all([one, other].map(({ deps }) => settleAll(deps, { now: one.clock.now })));
        await one.assertAddsUp();
        expect((await one.deps.ledger.balances("granted:")).get(`granted:${MERCHANT}`)).toBe(0n);
      } finally {
        await one.close();
        await other.close();
      }
    },
    TIMEOUT_MS,
  );

  it(
    `are given and fetched once, and answered again as before, though the provider is killed ${KILLS} times`,
    async () => {
      const codeCache = mkdtempSync(join(tmpdir(), "tuppence-code-"));
      const environment: Environment & Readonly<Record<string, string>> = {
        ...database.environment,
        TUPPENCE_RATE_LIMIT_PER_MINUTE: "100000000",
        TUPPENCE_SETTLE_EVERY_SECONDS: "0",
        TUPPENCE_LOG_LEVEL: "fatal",
      };
      const provider = await startProvider({
        dataFolder: database.environment.TUPPENCE_DATA ?? "",
        environment: { ...environment, NODE_COMPILE_CACHE: codeCache },
      });
      const deps = await openBooks(environment, provider);
      try {
        await deps.merchants.put({
          id: MERCHANT,
          name: "The Lantern",
          origins: ["https://lantern.example"],
          refundWindowSeconds: 3_600,
        });
        const { token } = await createApiKey(deps, MERCHANT, { name: "Refunds", scopes: ["refunds:write"] });
        const terms = { origin: provider.origin, merchant: MERCHANT, site: "https://lantern.example" };
        const coins = await withdrawCoins(
          deps,
          Array.from({ length: KILLS * PAYMENTS_PER_LIFE }, () => PRICE),
        );
        const payments = await Promise.all(coins.map((coin) => preparePayment(terms, coin)));
        const give = (paymentId: string) =>
          untilAnswered(`${provider.accountsOrigin}/api/merchants/${MERCHANT}/payments/${paymentId}/refund`, {
            authorization: `Bearer ${token}`,
          });
        const whole = async ({ paymentId, preimage, body }: (typeof payments)[number]) => {
          expect(isPaid(await postUntilAnswered(`${provider.origin}/x402/settle`, body))).toBe(true);
          expect(await give(paymentId)).toMatch(/"state":"granted"/);
          const outputs = makeBlankCoins(deps.mint.activeKeysetId(), [PRICE]).map(({ output }) => output);
          const asked = JSON.stringify({ preimage, outputs });
          const address = `${provider.origin}/payments/${paymentId}/refund`;
          const answer = await postUntilAnswered(address, asked);
          expect(v.safeParse(RefundResponse, JSON.parse(answer)).success).toBe(true);
          return { address, asked, answer, paymentId };
        };
        const answered: { address: string; asked: string; answer: string; paymentId: string }[] = [];
        for (let life = 0; life < KILLS; life++) {
          const running = Promise.all(
            payments.slice(life * PAYMENTS_PER_LIFE, (life + 1) * PAYMENTS_PER_LIFE).map(whole),
          );
          await pause(Math.random() * LAST_BREATH_MS * PAYMENTS_PER_LIFE);
          await provider.kill();
          await provider.restart();
          answered.push(...(await running));
        }
        for (const { address, asked, answer, paymentId } of answered) {
          expect(await postUntilAnswered(address, asked)).toBe(answer);
          expect(await give(paymentId)).toMatch(/"state":"collected"/);
        }
        const { ledger } = deps;
        expect(await ledger.balance(`merchant:${MERCHANT}`)).toBe(0n);
        expect(await ledger.balance(`granted:${MERCHANT}`)).toBe(0n);
        expect((await auditProvider(deps)).differences).toEqual([]);
      } finally {
        await deps.close();
        await provider.close();
        rmSync(codeCache, { recursive: true, force: true });
      }
    },
    TIMEOUT_MS,
  );
});

function book(
  shop: Shop,
  blanks: ReturnType<typeof makeBlankCoins>,
  answer: Awaited<ReturnType<Shop["refund"]>>,
) {
  if (answer.status !== 200) throw new Error(refusal(answer));
  const { signatures } = v.parse(RefundResponse, answer.json);
  shop.bookCoins(openCoins(shop.deps, blanks, signatures.map(signatureJson)));
}

/** A program that asks until it hears something. */
async function untilAnswered(address: string, headers: Record<string, string>): Promise<string> {
  for (;;) {
    try {
      const response = await fetch(address, { method: "POST", headers });
      if (response.ok) return await response.text();
    } catch {
      // Nobody is there for the moment.
    }
    await pause(20);
  }
}
