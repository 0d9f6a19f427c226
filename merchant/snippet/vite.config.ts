/** Builds the one file that a site hosts: `dist/merchant/tuppence.js`. */
import { defineConfig } from "vite";

export default defineConfig({
  root: new URL("../..", import.meta.url).pathname,
  publicDir: false,
  logLevel: "warn",
  build: {
    target: "es2022",
    outDir: "dist/merchant",
    emptyOutDir: false,
    modulePreload: false,
    // Not Vite's library mode: that keeps the white space.
    rollupOptions: {
      input: "merchant/snippet/index.ts",
      output: { format: "es", entryFileNames: "tuppence.js" },
    },
  },
});
