/** The operator's commands, each as its own process on the data folder, as they are run beside a server. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { signingKeyFromSeed } from "../../shared/jws.ts";
import { openShop, REFUND_WINDOW_SECONDS, type Shop } from "../../test/support/shop.ts";

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

function run(command: string, ...args: string[]) {
  const environment = {
    PATH: process.env.PATH ?? "",
    TUPPENCE_DATA: shop.dataFolder,
    TUPPENCE_FEE_PERCENT: "10",
    TUPPENCE_PAYOUT_MINIMUM: "0.10",
    TUPPENCE_FIRST_PAYOUT_DELAY_SECONDS: "0",
  };
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, `${command}.ts`), ...args],
    {
      env: environment,
      encoding: "utf8",
    },
  );
  return { status, stdout, stderr };
}

test("a merchant that the command registers beside a running server can be paid at once", async () => {
  const keyFile = join(shop.dataFolder, "seal.jwk.json");
  writeFileSync(keyFile, JSON.stringify({ ...shop.sealKey.publicJwk, d: "PRIVATE" }));
  const added = run(
    "merchant",
    "add",
    "--id",
    "the-mirror",
    "--name",
    "The Mirror",
    "--origin",
    "http://localhost:4030",
    "--seal-key",
    keyFile,
    "--refund-window",
    "15",
  );
  expect([added.status, added.stderr]).toEqual([0, ""]);
  expect(await shop.deps.merchants.get("the-mirror")).toMatchObject({
    origins: ["http://localhost:4030"],
    refundWindowSeconds: 15,
    sealKeys: [shop.sealKey.publicJwk],
  });
  const resource = "http://localhost:4030/tides.html";
  await shop.pay(
    shop.offer({
      merchant: "the-mirror",
      resource,
      seal: await shop.seal({ merchant: "the-mirror", resource }),
    }),
  );
  expect(run("merchant", "list").stdout).toContain("The Mirror");
});

test("a wrong argument ends with a sentence and registers nobody", async () => {
  for (const args of [
    ["add"],
    ["add", "--id", "X", "--name", "x", "--origin", "x"],
    ["remove"],
    ["add", "--nonsense"],
  ]) {
    const { status, stderr } = run("merchant", ...args);
    expect(status).toBe(1);
    expect(stderr).not.toContain("    at ");
  }
  expect(await shop.deps.merchants.list()).toHaveLength(1);
});

test("settling prints what was paid and writes the statements; settling again pays nothing", async () => {
  // The command has the real clock: by it, the window has just closed.
  shop.clock.now = Date.now() - REFUND_WINDOW_SECONDS * 1_000;
  await shop.pay(shop.offer({ amount: 200_000n }), [200_000]);
  const first = run("settle");
  expect([first.status, first.stderr]).toEqual([0, ""]);
  expect(first.stdout).toContain("$0.18");
  const statements = join(shop.dataFolder, "statements");
  expect(readdirSync(statements).sort()).toEqual(["the-lantern-1.csv", "the-lantern-1.json"]);
  expect(readFileSync(join(statements, "the-lantern-1.csv"), "utf8")).toContain("payout,");
  expect(run("settle").stdout).toContain("Nothing to settle");
  expect(readdirSync(statements)).toHaveLength(2);
  await shop.assertAddsUp();
});

test("the audit prints the trial balance, and ends with 1 when a balance was tampered with", async () => {
  await shop.pay();
  const good = run("audit");
  expect([good.status, good.stderr]).toEqual([0, ""]);
  expect(good.stdout).toContain("merchant:the-lantern");
  const database = new DatabaseSync(join(shop.dataFolder, "tuppence.sqlite"));
  database.exec("UPDATE ledger_accounts SET credits = credits + 1 WHERE name = 'merchant:the-lantern'");
  database.close();
  const bad = run("audit");
  expect(bad.status).toBe(1);
  expect(bad.stderr).toContain("DIFFERENCE merchant:the-lantern");
});

test("a rotation makes the next keyset, and the list says which signs and what readers hold of each", async () => {
  await shop.withdraw(200_000);
  const before = shop.deps.mint.activeKeysetId();
  expect(run("keyset", "rotate").stdout).toContain(`${before} signs no more`);
  const list = run("keyset", "list").stdout.split("\n").slice(2, 4);
  expect(list).toEqual([
    expect.stringMatching(new RegExp(`^${before} .* no .* \\$0\\.20$`)),
    expect.stringMatching(/^01[0-9a-f]{64} .* yes .* \$0\.00$/),
  ]);
  expect(run("keyset", "rotate", "twice").status).toBe(1);
});

test("keys of another kind are refused by the command", async () => {
  const other = await signingKeyFromSeed(new Uint8Array(32).fill(1));
  const keyFile = join(shop.dataFolder, "wrong.json");
  writeFileSync(keyFile, JSON.stringify({ ...other.publicJwk, crv: "X25519" }));
  expect(
    run(
      "merchant",
      "add",
      "--id",
      "the-mirror",
      "--name",
      "M",
      "--origin",
      "http://localhost:4030",
      "--seal-key",
      keyFile,
    ).status,
  ).toBe(1);
});
