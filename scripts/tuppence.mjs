#!/usr/bin/env node
// The command `tuppence`, as `npx tuppence` runs it: the site owner's commands, with the Node that the project brings.
import process from "node:process";

process.argv.splice(2, 0, "merchant/cli/main.ts");
await import("./run.mjs");
