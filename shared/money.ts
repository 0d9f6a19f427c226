/**
 * Amounts of money. Every amount in Tuppence is a whole number of **micros**, millionths of the
 * currency's major unit, so that 50_000 is five cents. It is a branded `bigint` in code and a decimal
 * string in JSON (Cashu messages excepted, where the specification says integer).
 */

declare const brand: unique symbol;

/** A whole number of micros. Made only by this module. May be negative only where a ledger says so. */
export type Micros = bigint & { readonly [brand]: "Micros" };

export const MICROS_PER_UNIT = 1_000_000n;

/** Above this no single amount is accepted anywhere; it keeps every sum within a signed 64-bit integer. */
export const MAX_AMOUNT = 1_000_000_000_000n as Micros;

/** The coins that exist: 1-2-5 steps from a tenth of a cent to ten units of currency, smallest first. */
export const DENOMINATIONS: readonly Micros[] = [
  1_000n,
  2_000n,
  5_000n,
  10_000n,
  20_000n,
  50_000n,
  100_000n,
  200_000n,
  500_000n,
  1_000_000n,
  2_000_000n,
  5_000_000n,
  10_000_000n,
] as unknown as readonly Micros[];

export const SMALLEST_COIN = 1_000n as Micros;

/** Blank outputs that a payment sends along when its coins do not fit: change never needs more. */
export const MAX_CHANGE_OUTPUTS = 12;

export const ZERO = 0n as Micros;

/** @throws RangeError if `value` is a number that is not a safe integer: such a value is a bug, not input. */
export function micros(value: bigint | number): Micros {
  if (typeof value === "number" && !Number.isSafeInteger(value))
    throw new RangeError(`not a whole number of micros: ${value}`);
  return BigInt(value) as Micros;
}

const CANONICAL = /^(0|[1-9][0-9]{0,12})$/;

/** Reads the wire form, a canonical decimal string without sign. Undefined if it is anything else. */
export function parseMicros(text: string): Micros | undefined {
  if (!CANONICAL.test(text)) return undefined;
  const value = BigInt(text);
  return value <= MAX_AMOUNT ? (value as Micros) : undefined;
}

export function add(...amounts: readonly Micros[]): Micros {
  return amounts.reduce<bigint>((total, amount) => total + amount, 0n) as Micros;
}

export function subtract(from: Micros, amount: Micros): Micros {
  return (from - amount) as Micros;
}

export function isPayableInCoins(amount: Micros): boolean {
  return amount > 0n && amount % SMALLEST_COIN === 0n;
}

/**
 * The fewest coins that make `amount`, largest first; coins above ten units repeat.
 * Undefined if coins cannot make it: it is refused, never rounded.
 */
export function splitIntoCoins(amount: Micros): Micros[] | undefined {
  if (!isPayableInCoins(amount)) return undefined;
  const coins: Micros[] = [];
  let left: bigint = amount;
  for (const coin of DENOMINATIONS.toReversed()) {
    while (left >= coin) {
      coins.push(coin);
      left -= coin;
    }
  }
  return coins;
}

/**
 * Splits `total` in proportion to `weights` by the largest-remainder method (Hamilton). The parts always
 * add up to `total`; ties go to the earlier weight.
 * @throws RangeError if there is no weight above zero, or one below it.
 */
export function splitByWeight(total: Micros, weights: readonly bigint[]): Micros[] {
  const sum = weights.reduce((a, b) => a + b, 0n);
  if (sum <= 0n || weights.some((weight) => weight < 0n)) throw new RangeError("weights must be positive");
  const parts = weights.map((weight) => (total * weight) / sum);
  const remainders = weights.map((weight, index) => ({ index, remainder: (total * weight) % sum }));
  remainders.sort((a, b) =>
    a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1,
  );
  let left = total - parts.reduce((a, b) => a + b, 0n);
  for (const { index } of remainders) {
    if (left <= 0n) break;
    parts[index] = (parts[index] ?? 0n) + 1n;
    left -= 1n;
  }
  return parts as Micros[];
}

/** Rounds down to the currency's minor unit (cents), the form in which a bank can pay out. */
export function roundDownToMinorUnit(amount: Micros): Micros {
  return (amount - (amount % 10_000n)) as Micros;
}

/**
 * Reads what a person typed: "5", "0.05", "$1.25", "5¢". Undefined if it is no such amount, has a finer
 * fraction than a micro, or is zero.
 */
export function parseMoney(text: string): Micros | undefined {
  const cents = /^(\d{1,6})(?:\.(\d{1,4}))?\s*¢$/.exec(text.trim());
  const units = /^\$?\s*(\d{1,6})(?:\.(\d{1,6}))?$/.exec(text.trim());
  const match = cents ?? units;
  if (!match) return undefined;
  const decimals = cents ? 4 : 6;
  const value =
    BigInt(match[1] ?? "0") * 10n ** BigInt(decimals) + BigInt((match[2] ?? "").padEnd(decimals, "0") || "0");
  return value > 0n && value <= MAX_AMOUNT ? (value as Micros) : undefined;
}

const SYMBOLS: Readonly<Record<string, string>> = { USD: "$", EUR: "€", GBP: "£" };

/**
 * The form that people read: "5¢" below one unit where the currency has a cent sign, otherwise "$1.25";
 * never fewer digits than the exact amount has.
 */
export function formatMoney(amount: Micros, currency = "USD"): string {
  const sign = amount < 0n ? "−" : "";
  const value = amount < 0n ? -amount : amount;
  if (currency === "USD" && value > 0n && value < MICROS_PER_UNIT) {
    return `${sign}${value / 10_000n}${fraction(value % 10_000n, 4, 0)}¢`;
  }
  return `${sign}${SYMBOLS[currency] ?? `${currency} `}${value / MICROS_PER_UNIT}${fraction(value % MICROS_PER_UNIT, 6, 2)}`;
}

/** The same, always in the major unit, as a balance is shown: "$0.05". */
export function formatBalance(amount: Micros, currency = "USD"): string {
  const sign = amount < 0n ? "−" : "";
  const value = amount < 0n ? -amount : amount;
  return `${sign}${SYMBOLS[currency] ?? `${currency} `}${value / MICROS_PER_UNIT}${fraction(value % MICROS_PER_UNIT, 6, 2)}`;
}

function fraction(rest: bigint, digits: number, least: number): string {
  const text = rest.toString().padStart(digits, "0").replace(/0+$/, "").padEnd(least, "0");
  return text === "" ? "" : `.${text}`;
}
