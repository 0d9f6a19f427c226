/** Webhooks: a merchant's own programs are told of payments, refunds and settlements. */
export { registerWebhooks } from "./routes.ts";
export { startWebhooks } from "./worker.ts";
