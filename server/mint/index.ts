/** The mint: keysets, and coins in and out. */
export { CashuRefusal, cashuAnswer } from "./cashu-errors.ts";
export { rotateKeysets } from "./keysets.ts";
export type { GenuineCoin, Mint, PreparedOutputs } from "./mint.ts";
export { type MintWithKeys, openMint } from "./open.ts";
export { registerMint } from "./routes.ts";
