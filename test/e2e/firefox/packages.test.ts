/** What the stores would be given of what was built. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  archiveName,
  BROWSERS,
  type Files,
  findFaults,
  lint,
  readBuilt,
  readVersion,
  zip,
} from "../../../scripts/package.ts";

const version = readVersion();
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tuppence-packages-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(BROWSERS)("the package for %s", (browser) => {
  let files: Files;
  let archive: Uint8Array;
  beforeAll(() => {
    files = readBuilt(browser);
    archive = zip(files);
  });

  it("holds every file that was built, byte for byte, and no other", () => {
    const unpacked = Object.entries(unzipSync(archive));
    expect(unpacked.map(([name]) => name)).toEqual([...files.keys()]);
    for (const [name, bytes] of unpacked)
      expect(Buffer.compare(bytes, files.get(name) ?? new Uint8Array()), name).toBe(0);
  });

  it("holds no map, test or source, has the version of this commit, and grew beyond no limit", () => {
    expect(findFaults(files, archive, version)).toEqual([]);
  });
});

it("the archive for Firefox passes the linter of Mozilla's store, but for what is known and explained", () => {
  const file = join(folder, archiveName(version, "firefox"));
  writeFileSync(file, zip(readBuilt("firefox")));
  expect(lint(file).faults).toEqual([]);
});
