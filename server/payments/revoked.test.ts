import * as v from "valibot";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ZERO } from "../../shared/money.ts";
import { RefundResponse } from "../../shared/protocol/provider.ts";
import { makeBlankCoins, openCoins } from "../../test/support/coins.ts";
import { openShop, type Shop, signatureJson } from "../../test/support/shop.ts";
import { merchantAccount } from "../ledger/accounts.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { createRevocationList, REVOKED_SHARED_SECONDS } from "./revoked.ts";

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(async () => {
  await shop.assertAddsUp();
  await shop.close();
});

const SHARED_MILLISECONDS = REVOKED_SHARED_SECONDS * 1_000;

async function payAndRefund(): Promise<string> {
  const made = await shop.pay();
  const blanks = makeBlankCoins(shop.deps.mint.activeKeysetId(), [50_000]);
  const { signatures } = v.parse(RefundResponse, (await shop.refund(made, blanks)).json);
  shop.bookCoins(openCoins(shop.deps, blanks, signatures.map(signatureJson)));
  return made.payment.paymentId;
}

/** The ledger, with one more merchant, who is read last and whose transfers cannot be read now and then. */
function openLedger() {
  const last = merchantAccount("zebra");
  const state = { isBroken: false, readings: 0 };
  const ledger: Ledger = {
    ...shop.deps.ledger,
    async balances(prefix) {
      if (prefix !== merchantAccount("")) return shop.deps.ledger.balances(prefix);
      state.readings += 1;
      return new Map([...(await shop.deps.ledger.balances(prefix)), [last, ZERO]]);
    },
    async transfers(query) {
      if (state.isBroken && query.account === last) throw new Error("the database is away");
      return shop.deps.ledger.transfers(query);
    },
  };
  return { state, list: createRevocationList(ledger, () => shop.clock.now) };
}

test("a refund is listed once, though the reading that met it first failed at a later merchant", async () => {
  const refunded = await payAndRefund();
  const { state, list } = openLedger();
  state.isBroken = true;
  await expect(list()).rejects.toThrow("the database is away");
  state.isBroken = false;
  expect((await list()).map(({ jti }) => jti)).toEqual([refunded]);
  shop.clock.now += SHARED_MILLISECONDS;
  expect((await list()).map(({ jti }) => jti)).toEqual([refunded]);
});

test("anybody who asks without end makes the ledger be read once in some seconds", async () => {
  const { state, list } = openLedger();
  await Promise.all(Array.from({ length: 50 }, list));
  const refunded = await payAndRefund();
  shop.clock.now += SHARED_MILLISECONDS - 1;
  expect(await list()).toEqual([]);
  expect(state.readings).toBe(1);
  shop.clock.now += 1;
  const answers = await Promise.all(Array.from({ length: 50 }, list));
  expect(answers.map((revoked) => revoked.map(({ jti }) => jti))).toEqual(answers.map(() => [refunded]));
  expect(state.readings).toBe(2);
});
