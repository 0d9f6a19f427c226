import { defineConfig } from "vitest/config";
import { isThorough } from "./test/support/thorough.ts";

/** Long, because a busy machine is not a broken program; nothing waits for it when all is well. */
const TIMEOUT_MS = 60_000;
/** The wallet's backup and leaving are played on SQLite always; the provider's part of them is the same code. */
const THOROUGH_ONLY = isThorough
  ? []
  : ["test/conformance/on-postgres/wallet-{backup,backup-server,leaving}.test.ts"];

export default defineConfig({
  test: {
    // Nothing is retried, nothing is left out by a forgotten `.only`, and a test leaves no mock to the next.
    retry: 0,
    allowOnly: false,
    restoreMocks: true,
    testTimeout: TIMEOUT_MS,
    hookTimeout: TIMEOUT_MS,
    environment: "node",
    pool: "forks",
    // The main process only waits, and many a test does.
    maxWorkers: "100%",
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["{shared,wallet,server,merchant,extension,scripts,bench,demo}/**/*.test.{ts,tsx}"],
        },
      },
      {
        extends: true,
        // Whatever under test/ needs no browser.
        test: {
          name: "conformance",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", ...THOROUGH_ONLY],
        },
      },
      {
        extends: true,
        // One Firefox at a time.
        test: {
          name: "firefox",
          include: ["test/e2e/firefox/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 2 * TIMEOUT_MS,
          hookTimeout: 2 * TIMEOUT_MS,
        },
      },
    ],
  },
});
