import { spawnSync } from "node:child_process";
import * as v from "valibot";
import { expect, it } from "vitest";

const Report = v.object({ summary: v.object({ errors: v.number() }), errors: v.array(v.unknown()) });

it("the package for Firefox passes the linter of Mozilla's store", () => {
  const { stdout } = spawnSync(
    process.execPath,
    ["node_modules/web-ext/bin/web-ext.js", "lint", "--source-dir=dist/firefox", "--output=json"],
    { encoding: "utf8" },
  );
  expect(v.parse(Report, JSON.parse(stdout)).errors).toEqual([]);
});
