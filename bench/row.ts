/** One figure of the table, beside what it aims for and what people would use instead. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: "ms" | "s" | "bytes" | "MB" | "/s" | "×" | "";
  readonly aim?: number;
  /** The same figure of others, as measured for the design, or in this run. */
  readonly baseline?: string;
}

export interface Part {
  readonly name: string;
  measure(): Promise<readonly Row[]>;
}

/** @param share between 0 and 1; the nearest rank, so the result is a value that was measured */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("nothing was measured");
  return value;
}
