/** What the provider keeps of wallets' backups, asked without a wallet: how much, of whom, and what stays after a closing. */
import { randomBytes } from "node:crypto";
import { parse } from "valibot";
import { afterEach, beforeEach, expect, it } from "vitest";
import { chargeBackTopUp, findTopUp } from "../../server/topups/index.ts";
import { toBase64url } from "../../shared/bytes.ts";
import { BackupListing, BackupPart, BackupWritten, Problem } from "../../shared/protocol/provider.ts";
import { openPart } from "../../wallet/core/backup/parts.ts";
import { openKeys } from "../../wallet/core/keys.ts";
import { makeAccount, startTestProvider, type TestAccount, type TestProvider } from "./provider.ts";
import { makeReader, type Reader, untilTrue } from "./reader.ts";

const SMALLEST_BYTES = 16_384;
const LARGEST_BYTES = 131_072;
const UNPAID_BYTES = 262_144;
const MEBIBYTE = 1_048_576;
const RESERVE_BYTES = 2 * MEBIBYTE;
const DAY_MS = 86_400_000;

let test: TestProvider;
beforeEach(async () => {
  test = await startTestProvider({ TUPPENCE_MINT_THREADS: "0", TUPPENCE_WALLET_BACKUP_MEBIBYTES: "1" });
});
afterEach(async () => {
  expect((await ledger().audit()).differences).toEqual([]);
  await test.close();
});

it("keeps the names of a closed account's parts, so that no device is given a number a second time", async () => {
  const account = await richAccount();
  await write(account, "a", SMALLEST_BYTES);
  await write(account, "b", LARGEST_BYTES);
  await write(account, "b", LARGEST_BYTES, 1);
  test.clock.ahead += DAY_MS;
  const id = newId();
  expect(await close(account, id)).toEqual({ id, returned: "1000000" });

  const emptied = [
    { name: nameOf("a"), version: 2, bytes: 0 },
    { name: nameOf("b"), version: 3, bytes: 0 },
  ];
  expect(await list(account)).toEqual(emptied);
  expect(await write(account, "a", SMALLEST_BYTES)).toMatchObject({ code: "backup_conflict" });
  // An answer that was lost: asked again, nothing is another time.
  expect(await close(account, id)).toEqual({ id, returned: "1000000" });
  expect(await list(account)).toEqual(emptied);

  // Whoever wrote it goes on from the version that is there.
  expect(await write(account, "a", SMALLEST_BYTES, 1)).toMatchObject({ code: "backup_conflict" });
  expect(await write(account, "a", SMALLEST_BYTES, 2)).toEqual({ name: nameOf("a"), version: 3 });
});

it("shows a closed account's part as one that is there and does not open, as wallets read it", async () => {
  const account = await richAccount();
  const other = await richAccount();
  for (const one of [account, other]) await write(one, "a", SMALLEST_BYTES);
  test.clock.ahead += DAY_MS;
  await close(account, newId());
  const { status, body } = await account.call("GET", urlOf("a"));
  expect(status).toBe(200);
  const part = parse(BackupPart, body);
  expect(part).toEqual({ name: nameOf("a"), version: 2, content: "" });
  const keys = await openKeys(randomBytes(64).toString("hex"));
  expect(await openPart(keys.backup, part.name, part.content)).toBeUndefined();
  expect(await list(other), "another account's stays as it was").toEqual([
    { name: nameOf("a"), version: 1, bytes: SMALLEST_BYTES },
  ]);
});

it("lets a wallet go on where its account was closed, and gives the next device a number of its own", {
  timeout: 240_000,
}, async () => {
  const first = makeReader(test, { delays: "skipped" });
  await first.wallet.create({ kind: "ui", type: "createWallet" });
  await first.wallet.resume();
  await first.topUp(1_000_000n);
  await first.wallet.saveBackup();
  const { phrase } = await first.wallet.showPhrase();
  expect(await deviceOf(await bringBack(phrase))).toBe(1);
  test.clock.ahead += DAY_MS;
  expect(await first.wallet.closeAccount()).toEqual({ returned: "1000000" });

  // With the number of the one before it would count where that one does.
  expect(await deviceOf(await bringBack(phrase))).toBe(2);
  await first.topUp(2_000_000n);
  await first.wallet.saveBackup();
  const last = await bringBack(phrase);
  expect(await deviceOf(last)).toBe(3);
  expect((await last.wallet.snapshot()).elsewhere).toBe((await first.wallet.snapshot()).balance.coins);
});

async function bringBack(phrase: string): Promise<Reader> {
  const reader = makeReader(test, { delays: "skipped" });
  await reader.wallet.create({ kind: "ui", type: "createWallet", phrase, otherDevices: "in_use" });
  await untilTrue(async () => {
    await reader.wallet.resume();
    const { restoring, restore } = await reader.wallet.snapshot();
    return !restoring && restore === null;
  });
  return reader;
}

async function deviceOf({ store }: Reader): Promise<number | undefined> {
  return (await store.read((tables) => tables.wallet.all()))[0]?.device;
}

it("keeps little of an account that never topped up, whatever was only asked for", async () => {
  const account = await makeAccount(test);
  const topUp = { id: newId(), amount: "1000000", gateway: "sandbox" };
  expect((await account.call("POST", "/topups", topUp)).status).toBe(201);
  // A wallet without money that is brought back.
  expect(await write(account, "a", SMALLEST_BYTES)).toMatchObject({ version: 1 });
  expect(await write(account, "b", LARGEST_BYTES)).toMatchObject({ version: 1 });
  expect(await write(account, "c", LARGEST_BYTES)).toMatchObject({
    code: "backup_full",
    mostBytes: UNPAID_BYTES,
  });
  for (let rest = 7; rest > 0; rest--)
    expect(await write(account, rest.toString(), SMALLEST_BYTES)).toMatchObject({ version: 1 });
  expect(await bytesOf(account)).toBe(UNPAID_BYTES);
  expect(await write(account, "c", SMALLEST_BYTES)).toMatchObject({ code: "backup_full" });
  // What is there can be replaced.
  expect(await write(account, "b", LARGEST_BYTES, 1)).toMatchObject({ version: 2 });

  await account.topUp(1_000_000n);
  expect(await write(account, "c", LARGEST_BYTES)).toMatchObject({ version: 1 });
});

it("takes an account for one that topped up when all of it was paid out, or charged back", async () => {
  const [gone, chargedBack] = [await richAccount(), await makeAccount(test)];
  const topUp = await findTopUp(test.provider.deps, await chargedBack.topUp(1_000_000n));
  if (!topUp) throw new Error("no top-up");
  await chargeBackTopUp(test.provider.deps, topUp);
  test.clock.ahead += DAY_MS;
  await close(gone, newId());
  for (const account of [gone, chargedBack])
    for (const letter of ["a", "b", "c"])
      expect(await write(account, letter, LARGEST_BYTES)).toMatchObject({ version: 1 });
});

it("keeps room for the head of a device that is brought back, however full the others left it", async () => {
  const account = await richAccount();
  for (let index = 0; index < MEBIBYTE / LARGEST_BYTES; index++)
    expect(await write(account, index.toString(), LARGEST_BYTES)).toMatchObject({ version: 1 });
  expect(await write(account, "a", 2 * SMALLEST_BYTES)).toMatchObject({
    code: "backup_full",
    mostBytes: MEBIBYTE,
  });
  for (let index = 0; index < RESERVE_BYTES / SMALLEST_BYTES; index++)
    expect(await write(account, `b${index}`, SMALLEST_BYTES)).toMatchObject({ version: 1 });
  expect(await write(account, "c", SMALLEST_BYTES)).toMatchObject({ code: "backup_full" });
  // Beyond the limit, what is there can be replaced, but not by what is larger.
  expect(await write(account, "0", LARGEST_BYTES, 1)).toMatchObject({ version: 2 });
  expect(await write(account, "b0", SMALLEST_BYTES, 1)).toMatchObject({ version: 2 });
  expect(await write(account, "b0", 2 * SMALLEST_BYTES, 2)).toMatchObject({ code: "backup_full" });
});

it("keeps room for it among the number of parts, too", { timeout: 240_000 }, async () => {
  await test.close();
  test = await startTestProvider({ TUPPENCE_MINT_THREADS: "0" });
  const account = await richAccount();
  await addParts(account, 2_000);
  expect(await write(account, "a", 2 * SMALLEST_BYTES)).toMatchObject({ code: "backup_full" });
  expect(await write(account, "a", SMALLEST_BYTES)).toMatchObject({ version: 1 });
  expect(await write(account, "a", 2 * SMALLEST_BYTES, 1), "no part more").toMatchObject({ version: 2 });
  await addParts(account, 127);
  expect(await write(account, "b", SMALLEST_BYTES)).toMatchObject({ code: "backup_full" });
});

it("keeps no more when twenty parts are written at once", async () => {
  const account = await richAccount();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => write(account, index.toString(), LARGEST_BYTES)),
  );
  expect(answers.filter((answer) => "version" in answer)).toHaveLength(8);
  expect(answers.filter((answer) => "code" in answer && answer.code === "backup_full")).toHaveLength(12);
  expect(await bytesOf(account)).toBe(MEBIBYTE);
});

it("answers a closing of an empty account again under its id, whatever came into the account since", async () => {
  const account = await makeAccount(test);
  const id = newId();
  expect(await close(account, id)).toEqual({ id, returned: "0" });
  await account.topUp(3_000_000n);
  test.clock.ahead += DAY_MS;
  expect(await close(account, id)).toEqual({ id, returned: "0" });
  expect((await account.call("GET", "/accounts/me")).body).toMatchObject({ balance: "3000000" });
  const stranger = await makeAccount(test);
  expect(await close(stranger, id)).toMatchObject({ code: "request_conflict" });
  const next = newId();
  expect(await close(account, next)).toEqual({ id: next, returned: "3000000" });
});

it("gives one answer to a closing that is asked for while a top-up comes in", async () => {
  const account = await makeAccount(test);
  const id = newId();
  const [before, , ...others] = await Promise.all([
    close(account, id),
    account.topUp(3_000_000n),
    ...Array.from({ length: 8 }, () => close(account, id)),
  ]);
  test.clock.ahead += DAY_MS;
  const last = await close(account, id);
  expect(last).toMatchObject({ id, returned: expect.stringMatching(/^(0|3000000)$/) });
  // It may be too early for the money to go back, which is no answer that stays.
  for (const answer of [before, ...others])
    expect([last, expect.objectContaining({ code: "account_not_final" })]).toContainEqual(answer);
});

const ledger = () => test.provider.deps.ledger;
const newId = () => randomBytes(16).toString("hex");
const nameOf = (text: string) => Buffer.from(text).toString("hex").padEnd(32, "0");
const urlOf = (text: string) => `/accounts/me/backup/${nameOf(text)}`;

async function richAccount(): Promise<TestAccount> {
  const account = await makeAccount(test);
  await account.topUp(1_000_000n);
  return account;
}

async function write(account: TestAccount, text: string, length: number, version = 0) {
  const content = toBase64url(randomBytes(length));
  const { status, body } = await account.call("POST", urlOf(text), { version, content });
  return status === 200 ? parse(BackupWritten, body) : parse(Problem, body);
}

async function list(account: TestAccount): Promise<BackupListing["parts"]> {
  return parse(BackupListing, (await account.call("GET", "/accounts/me/backup")).body).parts;
}

async function bytesOf(account: TestAccount): Promise<number> {
  return (await list(account)).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Of the smallest size there is, which no wallet writes: it is about their number. */
async function addParts(account: TestAccount, count: number): Promise<void> {
  const rows = Array.from({ length: count }, () => ({
    account_id: account.id,
    name: newId(),
    version: 1,
    content: new Uint8Array(1),
  }));
  const tables = test.provider.deps.database.$extendTables<{ wallet_backup_parts: (typeof rows)[number] }>();
  for (let from = 0; from < count; from += 500)
    await tables
      .insertInto("wallet_backup_parts")
      .values(rows.slice(from, from + 500))
      .execute();
}

async function close(account: TestAccount, id: string): Promise<unknown> {
  return (await account.call("POST", "/accounts/me/closure", { id, gateway: "sandbox" })).body;
}
