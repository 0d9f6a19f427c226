/** One part of a run, in a process of its own: `main.ts` starts it and reads its result. */
import process from "node:process";
import * as v from "valibot";
import { PARTS } from "./parts.ts";
import { describeError, type PartResult, runPart } from "./target.ts";

const Options = v.object({
  part: v.string(),
  inputs: v.number(),
  seed: v.number(),
  only: v.exactOptional(v.string()),
  path: v.exactOptional(v.string()),
});

const options = v.parse(Options, JSON.parse(process.argv[2] ?? ""));
const part = PARTS[options.part];
if (!part) throw new Error(`there is no part ${options.part}`);
const result: PartResult = await runPart(part.open, options).catch((error: unknown) => ({
  part: options.part,
  targets: [],
  heap: null,
  failure: describeError(error),
  seconds: 0,
}));
process.send?.(result, () => process.exit());
if (!process.send) console.log(JSON.stringify(result, null, 1));
