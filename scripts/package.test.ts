import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { utf8 } from "../shared/bytes.ts";
import { archiveSource, type Files, findFaults, zip } from "./package.ts";

const VERSION = "1.2.3";
const GOOD: Files = new Map([
  ["assets/popup-a1b2.js", utf8("const a = 1;")],
  ["manifest.json", utf8(JSON.stringify({ version: VERSION }))],
]);
const faultsOf = (...more: readonly [string, Uint8Array][]) => {
  const files = new Map([...GOOD, ...more]);
  return findFaults(files, zip(files), VERSION);
};

it("finds nothing wrong with what belongs into an archive", () => expect(faultsOf()).toEqual([]));

it.each([
  ["a source map", "assets/popup-a1b2.js.map", "{}", "is nothing that an archive may contain"],
  ["a test", "extension/ui/popup/state.test.ts", "", "is nothing that an archive may contain"],
  ["a source", "extension/background/index.ts", "", "is nothing that an archive may contain"],
  [
    "what the bundler keeps for itself",
    ".vite/manifest.json",
    "{}",
    "is nothing that an archive may contain",
  ],
  ["a page that only measures", "empty.html", "", "is nothing that an archive may contain"],
  ["a script that names a source map", "assets/x.js", "//# sourceMappingURL=x.js.map", "names a source map"],
  ["a script that grew", "extension/content/doorbell.js", "x".repeat(3_001), "may have 3000"],
  ["another version", "manifest.json", `{"version":"1.2.4"}`, "says version 1.2.4, and package.json 1.2.3"],
  ["no version", "manifest.json", "{", "there is no manifest.json with a version"],
])("does not let %s go to a store", (_, name, content, fault) =>
  expect(faultsOf([name, utf8(content)])).toEqual([expect.stringContaining(fault)]),
);

it("does not let an archive grow without anybody noticing", () => {
  const noise = crypto.getRandomValues(new Uint8Array(60_000));
  const files = Array.from({ length: 6 }, (_, index): [string, Uint8Array] => [`assets/${index}.js`, noise]);
  expect(faultsOf(...files)).toEqual([expect.stringContaining("the archive has")]);
});

it("makes other bytes of other files only", () => {
  const again: Files = new Map([...GOOD].map(([name, bytes]) => [name, Uint8Array.from(bytes)]));
  expect(zip(again)).toEqual(zip(GOOD));
  expect(zip(new Map([...GOOD, ["assets/x.js", utf8("a()")]]))).not.toEqual(zip(GOOD));
});

describe("the archive of the source", () => {
  let folder: string;
  const git = (...words: string[]) => {
    const author = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
    expect(spawnSync("git", [...author, ...words], { cwd: folder }).status).toBe(0);
  };
  const archive = () => archiveSource(folder, join(folder, "out.zip"), VERSION);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tuppence-source-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("holds what was committed, and none of what git ignores", () => {
    git("init");
    writeFileSync(join(folder, "source.ts"), "export {};\n");
    writeFileSync(join(folder, ".gitignore"), "secret\nout.zip\n");
    writeFileSync(join(folder, "secret"), "not for reviewers");
    git("add", ".");
    git("commit", "-m", "first");
    expect(archive()).toBeUndefined();
    const files = unzipSync(readFileSync(join(folder, "out.zip")));
    const names = Object.keys(files).filter((name) => !name.endsWith("/"));
    expect(names.toSorted()).toEqual([`tuppence-${VERSION}/.gitignore`, `tuppence-${VERSION}/source.ts`]);
  });

  it("is not made of another source than the one that was built", () => {
    git("init");
    writeFileSync(join(folder, "source.ts"), "export {};\n");
    expect(archive()).toContain("source.ts");
  });

  it("is not made where there is no git, and says so", () => {
    expect(archive()).toBe("this is no git checkout.");
  });
});
