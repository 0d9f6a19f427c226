/** The history as a file: CSV (RFC 4180) for a spreadsheet, JSON with the receipts for programs. */
import { MICROS_PER_UNIT, type Micros } from "../../../../shared/money.ts";
import type { ExportedPayment } from "../../../../shared/protocol/ui.ts";

const COLUMNS = [
  "time",
  "state",
  "kind",
  "amount",
  "currency",
  "amount_micros",
  "title",
  "merchant",
  "site",
  "address",
  "payment_id",
] as const;

export function csvOf(payments: readonly ExportedPayment[], currency: string): string {
  const rows = payments.map((payment) => {
    const record = recordOf(payment, currency);
    return COLUMNS.map((column) => cell(record[column])).join(",");
  });
  return [COLUMNS.join(","), ...rows, ""].join("\r\n");
}

export function jsonOf(payments: readonly ExportedPayment[], currency: string): string {
  const records = payments.map((payment) => ({ ...recordOf(payment, currency), receipt: payment.receipt }));
  return `${JSON.stringify({ payments: records }, null, 2)}\n`;
}

function recordOf(payment: ExportedPayment, currency: string): Record<(typeof COLUMNS)[number], string> {
  return {
    time: localTime(payment.at),
    state: payment.state,
    kind: payment.kind,
    amount: decimal(payment.amount),
    currency,
    amount_micros: payment.amount.toString(),
    title: payment.title,
    merchant: payment.merchantName,
    site: payment.origin,
    address: payment.resource,
    payment_id: payment.id,
  };
}

/**
 * Titles and names come from pages. What a spreadsheet would take for a formula gets an apostrophe, so that it stays the
 * text that it is; quotes keep commas, quotes and line ends within their cell.
 */
function cell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** "0.05", to the last digit that is not zero and two at least, with a point whatever the language. */
function decimal(amount: Micros): string {
  const digits = (amount % MICROS_PER_UNIT)
    .toString()
    .padStart(6, "0")
    .replace(/0{1,4}$/, "");
  return `${amount / MICROS_PER_UNIT}.${digits}`;
}

/** ISO 8601 with the offset of this computer at that time: "2026-11-29T14:05:00+01:00". */
function localTime(at: number): string {
  const offsetMinutes = -new Date(at).getTimezoneOffset();
  const shifted = new Date(at + offsetMinutes * 60_000).toISOString().slice(0, 19);
  const [hours, minutes] = [Math.floor(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60];
  return `${shifted}${offsetMinutes < 0 ? "-" : "+"}${twoDigits(hours)}:${twoDigits(minutes)}`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}
