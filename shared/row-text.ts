/** Rows of the wallet's stores as text: JSON, in which amounts stay what they are. */

/** Before what JSON has no form for, and before strings that begin with it. */
const MARK = "\u0000";

/** @throws Error where the row holds something else than plain objects, arrays, strings, numbers and bigints */
export function rowText(row: object): string {
  return JSON.stringify(row, markValue);
}

export function parseRow(text: string): unknown {
  return JSON.parse(text, unmarkValue);
}

function markValue(_name: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${MARK}n${value}`;
  if (typeof value === "string") return value.startsWith(MARK) ? `${MARK}s${value}` : value;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null)
      throw new Error("a row holds something that JSON has no form for");
  }
  return value;
}

function unmarkValue(_name: string, value: unknown): unknown {
  if (typeof value !== "string" || !value.startsWith(MARK)) return value;
  return value[1] === "n" ? BigInt(value.slice(2)) : value.slice(2);
}
