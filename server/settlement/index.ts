/** Settlements: a merchant's payments become a payout, with a statement that explains it. */
export { auditSettlements } from "./audit.ts";
export { type PaymentLine, readPaymentLines } from "./lines.ts";
export { type Outlook, readOutlook } from "./outlook.ts";
export {
  BankReference,
  confirmPayout,
  findPayout,
  listPayouts,
  type Payout,
  totalOfPayouts,
} from "./payout.ts";
export { registerSettlement } from "./routes.ts";
export { startSettlementSchedule } from "./schedule.ts";
export { type SettlementDeps, settleAll } from "./settle.ts";
export { parseSettlementId, readSettlement } from "./settlement.ts";
export { readStatement } from "./statement.ts";
export { writeMissingStatements } from "./statement-files.ts";
export { csvHead, csvMovement } from "./statement-formats.ts";
export { sumAll } from "./sums.ts";
