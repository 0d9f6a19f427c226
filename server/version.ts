/** The version that runs, as `package.json` says it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";

const Manifest = v.object({ version: v.string() });

export const VERSION = v.parse(
  Manifest,
  JSON.parse(readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8")),
).version;
