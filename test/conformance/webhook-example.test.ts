/** The receiver that the document shows, run as it stands there. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { createWebhook } from "../../server/webhooks/endpoints.ts";
import { createWebhookWorker } from "../../server/webhooks/worker.ts";
import { freePort } from "../support/free-port.ts";
import { MERCHANT, openShop, type Shop } from "../support/shop.ts";

const EXAMPLE = /<!-- webhook-receiver -->\n```js\n([\s\S]*?)```/;

let shop: Shop | undefined;
let stop = async (): Promise<void> => {};
afterEach(async () => {
  await stop();
  await shop?.close();
});

it("takes what the provider sends, once, and refuses what somebody else does", async () => {
  const opened = await openShop({ TUPPENCE_PRIVATE_ADDRESSES: "allow" });
  shop = opened;
  // The library compares with this machine's clock.
  opened.clock.now = Date.now();
  const url = `http://127.0.0.1:${await freePort()}/`;
  const { webhook, secret } = await createWebhook(opened.deps, MERCHANT, { url, events: ["payment.paid"] });
  const [, code = ""] = EXAMPLE.exec(readFileSync("docs/SITE-OWNERS.md", "utf8")) ?? [];
  const receiver = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    env: { ...process.env, WEBHOOK_SECRET: secret, PORT: new URL(url).port },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  receiver.stdout.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  stop = async () => {
    receiver.kill();
    if (receiver.exitCode === null && receiver.signalCode === null) await once(receiver, "exit");
  };
  await expect
    .poll(
      () =>
        fetch(url, { method: "POST", body: "{}" }).then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 30_000 },
    )
    .toBe(400);

  const { payment } = await opened.pay();
  const faults: unknown[] = [];
  const worker = createWebhookWorker(opened.deps, { onError: (error) => faults.push(error) });
  await worker.look();
  await worker.begin();
  await worker.settled();
  await opened.deps.database
    .withTables<{ webhook_events: { state: string; due_at: number } }>()
    .updateTable("webhook_events")
    .set({ state: "pending", due_at: 0 })
    .execute();
  await worker.begin();
  await worker.settled();
  const forged = await fetch(url, {
    method: "POST",
    headers: {
      "webhook-id": "evt_1",
      "webhook-timestamp": `${Math.floor(Date.now() / 1_000)}`,
      "webhook-signature": "v1,AAAA",
    },
    body: JSON.stringify({ type: "payment.paid", data: {} }),
  });
  expect(forged.status).toBe(400);
  expect(webhook.failingSince).toBeNull();
  expect(faults).toEqual([]);
  await expect
    .poll(() => printed)
    .toBe(`payment.paid ${payment.paymentId} 50000 https://lantern.example/tides.html\n`);
});
