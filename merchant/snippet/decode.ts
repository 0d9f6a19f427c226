/**
 * Decoders of what comes in from outside: the same shapes as the schemas of `shared/protocol/page.ts`, written out
 * because those would be a third of the file that every reader loads. `decode.test.ts` holds the two together.
 */
import { parseMicros } from "../../shared/money.ts";
import type {
  EntitlementResult,
  PageError,
  PayResult,
  StatusResult,
  TipResult,
} from "../../shared/protocol/page.ts";

const SHORT = 300;
const TOKEN = 8_192;
const HEADER = 65_536;
const CONTENT_KEY = /^[\w-]{43}$/;

export type Fields = Readonly<Record<string, unknown>>;

/** The fields of an object, each still unknown; none of anything else. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

export function textOf(value: unknown, most: number): string | undefined {
  return typeof value === "string" && value.length <= most ? value : undefined;
}

export function decodePay(fields: Fields): PayResult | undefined {
  const paymentId = textOf(fields.paymentId, SHORT);
  const contentKey = contentKeyOf(fields.contentKey);
  return paymentId
    ? {
        paymentId,
        contentKey,
        receipt: textOf(fields.receipt, TOKEN),
        paymentSignature: textOf(fields.paymentSignature, HEADER),
      }
    : undefined;
}

export function decodeTip(fields: Fields): TipResult | undefined {
  const paymentId = textOf(fields.paymentId, SHORT);
  const receipt = textOf(fields.receipt, TOKEN);
  const amount = textOf(fields.amount, SHORT);
  return paymentId && receipt && amount && parseMicros(amount) !== undefined
    ? { paymentId, receipt, amount }
    : undefined;
}

export function decodeEntitlement(fields: Fields): EntitlementResult | undefined {
  const paymentId = textOf(fields.paymentId, SHORT);
  const receipt = textOf(fields.receipt, TOKEN);
  const holderProof = textOf(fields.holderProof, TOKEN);
  return paymentId && receipt && holderProof
    ? { paymentId, receipt, holderProof, contentKey: contentKeyOf(fields.contentKey) }
    : undefined;
}

export function decodeStatus({ state }: Fields): StatusResult | undefined {
  return state === "pending" || state === "paid" || state === "unpaid" || state === "refunded"
    ? { state }
    : undefined;
}

export function decodeError(fields: Fields): PageError | undefined {
  const code = textOf(fields.code, SHORT);
  const message = textOf(fields.message, 1_000);
  return code && message ? { code, message } : undefined;
}

function contentKeyOf(value: unknown): string | undefined {
  return typeof value === "string" && CONTENT_KEY.test(value) ? value : undefined;
}
