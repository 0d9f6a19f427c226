/** Payments: a reader's coins become a merchant's money, and back within the refund window. */
export { auditPayments } from "./audit.ts";
export {
  type Closing,
  closingGroupId,
  closingKey,
  encodeClosing,
  latestClosing,
  type NumberedClosing,
  readClosing,
} from "./closing.ts";
export {
  type PaymentRecord,
  type PaymentSubject,
  paymentGroupId,
  paymentRecordOf,
  paymentSubjectOf,
  readPayment,
} from "./record.ts";
export { refundGroupId } from "./refund.ts";
export { registerPayments } from "./routes.ts";
export { createSealReader, type SealReader } from "./seals.ts";
