/** Merchants: who may be paid, and the record by which the wallet knows them. */
export type { Merchant, MerchantRegistration } from "./merchant.ts";
export { issueMerchantRecord } from "./record.ts";
export { decodeRegistration, type MerchantDeps, registerMerchants } from "./routes.ts";
export { createMerchantStore, type MerchantStore } from "./store.ts";
