/** From the live dashboard into test mode, which is another provider. Never the other way. */
export { registerTestMode } from "./routes.ts";
