import process from "node:process";
import { defineConfig } from "@playwright/test";
import { isThorough, THOROUGH } from "./test/support/thorough.ts";

/** End to end in Chromium. Firefox is driven by test/e2e/firefox, because Playwright's own Firefox loads no extension. */
export default defineConfig({
  testDir: "test/e2e",
  testIgnore: "firefox/**",
  outputDir: "out/playwright",
  // Nothing is retried: a test that fails now and then is a defect. One browser at a time: two take as long on two cores.
  retries: 0,
  workers: Number(process.env.TUPPENCE_E2E_WORKERS ?? 1),
  forbidOnly: true,
  ...(isThorough ? {} : { grepInvert: new RegExp(THOROUGH.tag) }),
  // Long, because a busy machine is not a broken program; nothing waits for it when all is well.
  timeout: 240_000,
  expect: { timeout: 45_000 },
  // So that what hangs says where.
  use: { actionTimeout: 60_000, navigationTimeout: 60_000 },
  reporter: [["list"], ["json", { outputFile: "out/reports/e2e.json" }]],
});
