/** What a site's back end needs: to recognise who has paid, and to be paid through stock x402 middleware. */
export { type Micros, micros } from "../../shared/money.ts";
export { createMppCharge, type MppAsked, type MppDeps, type MppOutcome, type MppTerms } from "./mpp.ts";
export {
  createReceiptVerifier,
  type Entitlement,
  RECEIPT_HEADER,
  type ReceiptVerifier,
  type ReceiptVerifierDeps,
} from "./receipts.ts";
export {
  createRecordSource,
  facilitatorUrl,
  letReturnIn,
  TuppenceScheme,
  type TuppenceSchemeOptions,
} from "./x402.ts";
