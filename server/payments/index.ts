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
export { type LateRefund, MAX_LATE_REFUNDS_PER_SETTLEMENT, readLateRefunds } from "./late.ts";
export { registerMerchantPayments } from "./merchant-routes.ts";
export {
  encodeRefundRecord,
  type PaymentRecord,
  type PaymentSubject,
  paymentGroupId,
  paymentRecordOf,
  paymentSubjectOf,
  REFUND_CODES,
  readPayment,
  readRefund,
  refundGroupId,
  refundKey,
  refundTransferId,
} from "./record.ts";
export { registerPayments } from "./routes.ts";
export { createSealReader, type SealReader } from "./seals.ts";
export { readRefunds } from "./standing.ts";
