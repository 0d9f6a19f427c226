import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { conformsAsStore } from "../../test/support/store-conformance.ts";
import { openFileStore, WalletFileError } from "./store.ts";

let folder: string;
let files = 0;
const nextFile = () => {
  files += 1;
  return join(folder, `${files}.wallet`);
};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tuppence-wallet-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

conformsAsStore("the store in a file", () => openFileStore(nextFile()));

describe("the store in a file", () => {
  it("has what was written after it was closed, and nothing of what was taken back", async () => {
    const file = nextFile();
    const store = openFileStore(file);
    await store.transaction((tables) => tables.counters.put({ key: "payment", next: 7 }));
    await store
      .transaction(async (tables) => {
        await tables.counters.put({ key: "payment", next: 8 });
        throw new Error("killed");
      })
      .catch(() => undefined);
    await store.close();
    const again = openFileStore(file);
    expect(await again.read((tables) => tables.counters.all())).toEqual([{ key: "payment", next: 7 }]);
    await again.close();
  });

  it("is its owner's only, and one program's at a time", async () => {
    const file = nextFile();
    const store = openFileStore(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(() => openFileStore(file)).toThrow(new WalletFileError(`${file} is in use by another program.`));
    await store.close();
    await openFileStore(file).close();
  });

  it("is no other file, and none from the future", async () => {
    const text = nextFile();
    writeFileSync(text, "Dear diary, today I topped up. ".repeat(100));
    expect(() => openFileStore(text)).toThrow(WalletFileError);
    const newer = nextFile();
    const database = new DatabaseSync(newer);
    database.exec("PRAGMA user_version = 99");
    database.close();
    expect(() => openFileStore(newer)).toThrow("newer version");
    expect(() => openFileStore(join(folder, "none", "x.wallet"))).toThrow(WalletFileError);
  });
});
