/** The operator's commands, each as its own process on the data folder, as they are run beside a server. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { signingKeyFromSeed } from "../../shared/jws.ts";
import { openShop, REFUND_WINDOW_SECONDS, type Shop } from "../../test/support/shop.ts";
import { BANK } from "../ledger/accounts.ts";
import { settleAll } from "../settlement/index.ts";

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
    "--refund-policy",
    "Write to <b>us</b>.",
  );
  expect([added.status, added.stderr]).toEqual([0, ""]);
  expect(await shop.deps.merchants.get("the-mirror")).toMatchObject({
    origins: ["http://localhost:4030"],
    refundWindowSeconds: 15,
    refundPolicy: "Write to <b>us</b>.",
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

  const origin = "https://other-mirror.example";
  const { status, stderr } = run("merchant", "add", "--id", "the-mirror", "--origin", origin);
  expect({ status, stderr }, "what is not named stays").toEqual({ status: 0, stderr: "" });
  expect((await shop.deps.merchants.get("the-mirror"))?.refundPolicy).toBe("Write to <b>us</b>.");
  expect(run("merchant", "add", "--id", "the-mirror", "--refund-policy", "").stderr).toBe("");
  shop.clock.now += 1_000;
  expect((await shop.deps.merchants.get("the-mirror"))?.refundPolicy).toBeNull();
  expect(run("merchant", "list").stdout).toMatch(/The Mirror +https:\/\/other-mirror\.example/);
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

test("a merchant that cannot be settled keeps no other from its money and its statement, and the command ends with 1", async () => {
  shop.clock.now = Date.now() - REFUND_WINDOW_SECONDS * 1_000;
  await shop.pay(shop.offer({ amount: 200_000n }), [200_000]);
  await shop.deps.merchants.put({ id: "broken", name: "Broken", origins: ["https://broken.example"] });
  await shop.pay(
    shop.offer({ merchant: "broken", resource: "https://broken.example/", amount: 1_000n }),
    [1_000],
  );
  await shop.deps.ledger.apply({
    id: "0".repeat(32),
    fingerprint: "",
    transfers: [],
    records: [{ key: "closing:broken:1", value: "{}" }],
  });
  const { status, stdout } = run("settle");
  expect(status).toBe(1);
  expect(stdout).toContain("the-lantern-1.csv");
  expect(readdirSync(join(shop.dataFolder, "statements"))).toHaveLength(2);
});

/** Two settlements with a payout, of $0.18 and $0.45, and one below the minimum. */
async function settleThrice(): Promise<void> {
  for (const amount of [200_000, 500_000, 50_000]) {
    await shop.pay(shop.offer({ amount: BigInt(amount) }), [amount]);
    shop.clock.now += REFUND_WINDOW_SECONDS * 1_000;
    await settleAll(shop.deps, { now: shop.clock.now });
  }
}

test("a payout that the bank has sent is confirmed with the bank's reference, and the books stay right", async () => {
  await settleThrice();
  const confirmed = run("payout", "confirm", "the-lantern-1", "--reference", "SEPA 7");
  expect([confirmed.status, confirmed.stdout, confirmed.stderr]).toEqual([
    0,
    "Confirmed the-lantern-1: $0.18, reference SEPA 7.\n",
    "",
  ]);
  const outstanding = run("payout", "list").stdout;
  expect(outstanding).toContain("Outstanding: $0.45.");
  expect(outstanding).not.toMatch(/the-lantern-[13]/);
  expect(run("payout", "list", "--all").stdout).toMatch(/the-lantern-1 .*SEPA 7/);
  expect(run("audit").status).toBe(0);
});

test("a payout that is confirmed a second time moves nothing, and a second reference is told of", async () => {
  await settleThrice();
  run("payout", "confirm", "the-lantern-1", "--reference", "SEPA 7");
  const again = run("payout", "confirm", "the-lantern-1", "--reference", "SEPA 7");
  expect([again.status, again.stderr]).toEqual([0, ""]);
  expect(again.stdout).toContain("Nothing moved.");
  const sentTwice = run("payout", "confirm", "the-lantern-1", "--reference", "SEPA 8");
  expect([sentTwice.status, sentTwice.stdout]).toEqual([1, ""]);
  expect(sentTwice.stderr).toContain("with the reference SEPA 7, which stays.");
  expect(await shop.deps.ledger.balance(BANK)).toBe(180_000n);
});

test("all payouts are confirmed only if they add up to what the bank has sent", async () => {
  await settleThrice();
  const short = run("payout", "confirm", "--all", "--total", "0.18", "--reference", "SEPA 7");
  expect([short.status, short.stdout]).toEqual([1, ""]);
  expect(short.stderr).toContain("Outstanding is $0.63, and the bank has sent $0.18. Nothing was confirmed");
  expect(await shop.deps.ledger.balance(BANK)).toBe(0n);
  expect(run("payout", "confirm", "--all", "--total", "0.63", "--reference", "SEPA 7").status).toBe(0);
  expect(run("payout", "list").stdout).toBe("No payout is outstanding.\n");
});

test.each([
  ["an unknown settlement", ["the-lantern-1", "the-lantern-9"], "There is no settlement the-lantern-9."],
  ["a settlement without a payout", ["the-lantern-1", "the-lantern-3"], "there is nothing to confirm"],
])("naming %s confirms none of the others", async (_case, ids, sentence) => {
  await settleThrice();
  const { status, stdout, stderr } = run("payout", "confirm", ...ids, "--reference", "SEPA 7");
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(sentence);
  expect(stderr).toContain("Nothing was confirmed");
  expect(await shop.deps.ledger.balance(BANK)).toBe(0n);
});

test.each([
  [["confirm", "the-lantern-1"]],
  [["confirm", "the-lantern-1", "--reference", "two\nlines"]],
  [["confirm", "--reference", "SEPA 7"]],
  [["confirm", "--all", "--reference", "SEPA 7"]],
  [["confirm", "--all", "the-lantern-1", "--total", "1", "--reference", "SEPA 7"]],
  [["confirm", "--all", "--total", "much", "--reference", "SEPA 7"]],
  [["send"]],
  [["list", "--nonsense"]],
])("`payout` with %j says what is wrong, without a stack", (args) => {
  const { status, stdout, stderr } = run("payout", ...args);
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/npm run payout|not an amount/);
  expect(stderr).not.toContain("    at ");
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
