/** What the snippet reads of an offer. The wallet decodes all of it; this is for the button and for finding the receipt. */
import { formatMoney, parseMicros } from "../../shared/money.ts";
import { type Fields, fieldsOf, textOf } from "./decode.ts";

const MAX_URL_LENGTH = 2_048;
const MAX_NAME_LENGTH = 300;
const MAX_SEAL_LENGTH = 8_192;

export interface ReadOffer {
  /** As it came, for the wallet. */
  readonly whole: Record<string, unknown>;
  readonly resource: string;
  readonly merchant: string;
  /** As people read it; undefined where the amount is none. */
  readonly price: string | undefined;
  readonly seal: string | undefined;
}

/** The first of the offer's terms that a Tuppence wallet can pay; undefined if there are none. */
export function readOffer(value: unknown): ReadOffer | undefined {
  const whole = { ...fieldsOf(value) };
  const resource = textOf(fieldsOf(whole.resource).url, MAX_URL_LENGTH);
  const terms = Array.isArray(whole.accepts) ? whole.accepts.map(fieldsOf).find(isForTuppence) : undefined;
  const merchant = textOf(terms?.payTo, MAX_NAME_LENGTH);
  if (!terms || !merchant || !resource || !URL.canParse(resource)) return undefined;
  const amount = parseMicros(textOf(terms.amount, MAX_NAME_LENGTH) ?? "");
  const price = amount && formatMoney(amount, textOf(terms.asset, 3));
  return { whole, resource, merchant, price, seal: textOf(fieldsOf(terms.extra).seal, MAX_SEAL_LENGTH) };
}

function isForTuppence({ scheme, network }: Fields): boolean {
  return scheme === "exact" && !!textOf(network, MAX_NAME_LENGTH)?.startsWith("tuppence:");
}

/** A header's value: base64 of JSON in UTF-8. Undefined if it is anything else. */
export function readHeader(value: string | null): unknown {
  try {
    const bytes = Uint8Array.from(atob(value ?? ""), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
