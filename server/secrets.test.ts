import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { importSealingKey, openSealed, sealTo } from "../shared/hpke.ts";
import { openSecrets, SECRETS_FOLDER } from "./secrets.ts";

let data: string;
const random = (length: number) => new Uint8Array(randomBytes(length));
beforeEach(() => {
  data = join(mkdtempSync(join(tmpdir(), "tuppence-secrets-")), "data");
});
afterEach(() => rmSync(join(data, ".."), { recursive: true }));

it("makes them once, and finds the same ones again", async () => {
  const first = await openSecrets(data, random);
  const again = await openSecrets(data, random);
  expect(again.mintMaster).toEqual(first.mintMaster);
  expect(again.signingKeyId).toBe(first.signingKeyId);
  expect(again.adminToken).toBe(first.adminToken);
  const all = [first.mintMaster, first.gatewaySecret, first.quoteSecret].map((secret) =>
    Buffer.from(secret).toString("hex"),
  );
  expect(new Set([...all, first.adminToken]).size).toBe(4);
});

it("lets nobody but the owner read them, even after somebody opened them up", async () => {
  await openSecrets(data, random);
  const folder = join(data, SECRETS_FOLDER);
  chmodSync(join(folder, "mint-master-secret"), 0o644);
  await openSecrets(data, random);
  for (const path of [data, folder]) expect(statSync(path).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(folder))
    expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600]);
});

it("does not put a fresh secret over a broken one", async () => {
  await openSecrets(data, random);
  writeFileSync(join(data, SECRETS_FOLDER, "mint-master-secret"), "abc");
  await expect(openSecrets(data, random)).rejects.toThrow("put the file back from a backup");
});

it("agrees with itself when two processes start at once", async () => {
  const [one, two] = await Promise.all([openSecrets(data, random), openSecrets(data, random)]);
  expect(one.mintMaster).toEqual(two.mintMaster);
  expect(readdirSync(join(data, SECRETS_FOLDER)).filter((name) => name.includes("."))).toEqual([]);
});

it("publishes the half of the sealing key that it can open", async () => {
  const { sealingKey, sealingPublicKey } = await openSecrets(data, random);
  const sealed = await sealTo(sealingPublicKey, "tuppence payment v1", "bound", Buffer.from("coins"));
  expect(
    Buffer.from((await openSealed(sealingKey, "tuppence payment v1", "bound", sealed)) ?? []).toString(),
  ).toBe("coins");
  expect(
    await openSealed(await importSealingKey(random(32)), "tuppence payment v1", "bound", sealed),
  ).toBeUndefined();
});
