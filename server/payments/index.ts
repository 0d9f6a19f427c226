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
export { type InLine, MAX_IN_LINE_PER_SETTLEMENT, readInLine } from "./in-line.ts";
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
  refundKey,
  refundTransferId,
} from "./record.ts";
export { registerPayments } from "./routes.ts";
export { createSealedPaymentReader, type SealedPaymentReader } from "./sealed-payments.ts";
export { createSealReader, type SealReader } from "./seals.ts";
export { readRefunds } from "./standing.ts";
export { returnUncollected, uncollectedGroupId } from "./uncollected.ts";
