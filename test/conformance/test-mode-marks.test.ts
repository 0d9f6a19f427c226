/** What a merchant keeps, programs read and readers see of test mode says so. Of live mode not a byte changes. */
import * as v from "valibot";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { settleAll } from "../../server/settlement/index.ts";
import { payloadOf } from "../../server/webhooks/payload.ts";
import { WebhookPayload } from "../../shared/protocol/webhooks.ts";
import { StatementFile, settlementId } from "../../shared/statement.ts";
import { makeKey } from "../support/access.ts";
import { MERCHANT, openShop, REFUND_WINDOW_SECONDS, type Shop } from "../support/shop.ts";

const COLUMNS = "type,time,id,resource,kind,currency,amount_micros,amount";
const TOP_UP = "0123456789abcdef0123456789abcdef";

describe.each(["live", "test"] as const)("in %s mode", (mode) => {
  const isTest = mode === "test";
  let shop: Shop;
  let paymentId: string;
  beforeEach(async () => {
    shop = await openShop({ TUPPENCE_MODE: mode });
    ({
      payment: { paymentId },
    } = await shop.pay(shop.offer({ amount: 200_000n }), [200_000]));
    shop.clock.now += (REFUND_WINDOW_SECONDS + 1) * 1_000;
    await settleAll(shop.deps, { now: shop.clock.now });
  });
  afterEach(() => shop.close());

  async function ask(path: string): Promise<string> {
    const headers = await makeKey(shop.deps, MERCHANT, "payments:read", "statements:read");
    const { status, text } = await shop.program(headers, "GET", path);
    expect(status, text).toBe(200);
    return text;
  }

  it.each([
    ["/payments.csv", ",reason"],
    ["/statements/1?format=csv", ""],
  ])("each row of %s says so, and only then", async (path, more) => {
    const [head = "", ...rows] = (await ask(path)).trimEnd().split("\r\n");
    expect(head).toBe(`${COLUMNS}${more}${isTest ? ",mode" : ""}`);
    expect(rows.length).toBeGreaterThanOrEqual(3);
    expect(rows.filter((row) => row.endsWith(",test"))).toHaveLength(isTest ? rows.length : 0);
    for (const row of rows) expect(row.split(",")).toHaveLength(head.split(",").length);
  });

  it("a statement as JSON says so, and only then", async () => {
    const text = await ask("/statements/1");
    expect(v.parse(StatementFile, JSON.parse(text)).mode).toBe(isTest ? "test" : undefined);
    expect(text.includes('"mode"')).toBe(isTest);
  });

  it("an event that a merchant's programs are told says so, and only then", async () => {
    const happenedAt = shop.clock.now;
    for (const told of [
      { type: "payment.paid", subject: paymentId, happenedAt },
      { type: "settlement.created", subject: settlementId(MERCHANT, 1), happenedAt },
      { type: "test", subject: "", happenedAt },
    ] as const) {
      const text = await payloadOf(shop.deps.ledger, MERCHANT, told, mode);
      expect(v.parse(WebhookPayload, JSON.parse(text)).mode).toBe(isTest ? "test" : undefined);
      const begin = `{"type":"${told.type}",${isTest ? '"mode":"test",' : ""}"timestamp":`;
      expect(text.startsWith(begin), text).toBe(true);
    }
  });

  it("the checkout and the API's description say so", async () => {
    const host = new URL(shop.accountsOrigin).host;
    const page = await shop.app.inject({ url: `/checkout/sandbox/${TOP_UP}`, headers: { host } });
    expect(page.body.includes("<strong>Test mode</strong>")).toBe(isTest);
    expect(page.body.toLowerCase()).toContain("play money");
    const docs = await shop.app.inject({ url: "/docs/json", headers: { host } });
    expect(docs.body.includes("(test)")).toBe(isTest);
  });
});
