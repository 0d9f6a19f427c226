/** Builds the dashboard's pages: `dist/dashboard`, which the provider serves under `/dashboard/`. */
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "/dashboard/",
  publicDir: false,
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    outDir: new URL("../../../dist/dashboard", import.meta.url).pathname,
    emptyOutDir: true,
    modulePreload: false,
    assetsInlineLimit: 0,
  },
});
