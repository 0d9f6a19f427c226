/** Merchants: who may be paid, and the record by which the wallet knows them. */
export type { Merchant } from "./merchant.ts";
export { decodeRegistration, registerMerchants } from "./routes.ts";
export { createMerchantStore, type MerchantStore } from "./store.ts";
