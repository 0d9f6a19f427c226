import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { DENOMINATIONS } from "../../shared/money.ts";
import { KeysResponse } from "../../shared/protocol/cashu.ts";
import { keysetIdVersion1, keysetIdVersion2, openKeysets, rotateKeysets } from "./keysets.ts";
import { openMint } from "./open.ts";
import vectors from "./vectors/cashu.json" with { type: "json" };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tuppence-keysets-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it.each(vectors.keysetIdsVersion1.map(({ id, keys }) => ({ id, keys: json(keys) })))(
  "derives the version 1 id $id",
  ({ id, keys }) => {
    expect(keysetIdVersion1(keys)).toBe(id);
  },
);

it.each(vectors.keysetIdsVersion2.map((vector) => ({ ...vector, keys: json(vector.keys) })))(
  "derives the version 2 id $id",
  ({ id, keys, unit, inputFeePpk, finalExpiry }) => {
    expect(
      keysetIdVersion2({ keys, unit, inputFeePpk, ...(finalExpiry === null ? {} : { finalExpiry }) }),
    ).toBe(id);
  },
);

it("takes the keys that NUT-01 accepts and refuses those that it refuses", () => {
  const response = (keys: unknown) =>
    v.safeParse(KeysResponse, { keysets: [{ id: "00456a94ab4e1c46", unit: "usd6", keys }] }).success;
  for (const keys of vectors.acceptedKeys) expect(response(keys)).toBe(true);
  for (const keys of vectors.refusedKeys) expect(response(keys)).toBe(false);
});

it("makes the same keys from the same secret, one for each coin", () => {
  const [first] = open(1);
  const [again] = open(1);
  expect(again?.publicKeys).toEqual(first?.publicKeys);
  expect([...(first?.publicKeys.keys() ?? [])]).toEqual([...DENOMINATIONS]);
  expect(new Set(first?.publicKeys.values()).size).toBe(DENOMINATIONS.length);
  expect(first?.since).toBe(1_000);
});

it("does not start with another secret than the one that made its coins", () => {
  open(1);
  const before = readFileSync(join(folder, "keysets.json"), "utf8");
  expect(() => open(2)).toThrow("which the mint's secret does not make");
  expect(readFileSync(join(folder, "keysets.json"), "utf8")).toBe(before);
});

it("does not start over a list that it cannot read", () => {
  writeFileSync(join(folder, "keysets.json"), '[{"id": 1}]');
  expect(() => open(1)).toThrow("is not a list of keysets");
});

function open(secret: number) {
  return openKeysets({
    masterSecret: Buffer.alloc(32, secret),
    unit: "usd6",
    path: join(folder, "keysets.json"),
    nowSeconds: 1_000,
  });
}

function json(keys: object): Record<string, string> {
  return v.parse(v.record(v.string(), v.string()), keys);
}

it("does not let two rotations at once make two keysets, nor leave one that is half written", () => {
  const options = {
    masterSecret: new Uint8Array(32),
    unit: "usd6",
    path: join(folder, "keysets.json"),
    nowSeconds: 1,
  };
  openKeysets(options);
  writeFileSync(`${options.path}.draft`, "[");
  expect(() => rotateKeysets(options)).toThrow("another rotation is under way");
  expect(openKeysets(options)).toHaveLength(1);
  rmSync(`${options.path}.draft`);
  // A clock that was put back does not make the new one older than what it follows.
  const id = rotateKeysets({ ...options, nowSeconds: 0 });
  expect(openKeysets(options).map(({ active, since }) => [active, since])).toEqual([
    [false, 1],
    [true, 1],
  ]);
  expect(openKeysets(options)[1]?.id).toBe(id);
});

it("signs on as before where its list lost a keyset while it ran, and says so", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const path = join(folder, "keysets.json");
  const masterSecret = new Uint8Array(32);
  const faults: unknown[] = [];
  const mint = await openMint({
    unit: "usd6",
    masterSecret,
    keysetLogPath: path,
    threads: 0,
    now: () => 1_000,
    onFault: (error) => faults.push(error),
  });
  const before = mint.activeKeysetId();
  const after = rotateKeysets({ masterSecret, unit: "usd6", path, nowSeconds: 2 });
  vi.advanceTimersByTime(1_000);
  expect([mint.activeKeysetId(), faults]).toEqual([after, []]);
  const [, last] = v.parse(v.array(v.unknown()), JSON.parse(readFileSync(path, "utf8")));
  writeFileSync(path, JSON.stringify([last]));
  vi.advanceTimersByTime(1_000);
  expect(faults).toHaveLength(1);
  expect(mint.keysets().map(({ id }) => id)).toEqual([before, after]);
  await mint.close();
  vi.useRealTimers();
});
