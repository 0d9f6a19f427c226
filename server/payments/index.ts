/** Payments: a reader's coins become a merchant's money, and back within the refund window. */
export { auditPayments } from "./audit.ts";
export {
  type Closing,
  closingKey,
  encodeClosing,
  latestClosing,
  type NumberedClosing,
  readClosing,
  refundWindowEnd,
} from "./closing.ts";
export { decodePaymentRecord, type PaymentRecord, paymentKey, refundKey } from "./record.ts";
export { refundGroupId } from "./refund.ts";
export { registerPayments } from "./routes.ts";
export { createSealReader, type SealReader } from "./seals.ts";
