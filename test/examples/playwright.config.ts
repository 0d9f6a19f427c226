import { defineConfig } from "@playwright/test";
import base from "../../playwright.config.ts";

/** For `npm run test:examples`: those of `npm test`, and those that bring packages of their own. */
export default defineConfig({
  ...base,
  testDir: "..",
  testMatch: ["e2e/examples.spec.ts", "examples/*.spec.ts"],
  outputDir: "../../out/playwright-examples",
  reporter: [["list"], ["json", { outputFile: "../../out/reports/examples.json" }]],
});
