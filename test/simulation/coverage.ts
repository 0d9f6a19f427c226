/** Which fault met a payment at which step: the table of docs/PAYMENTS.md, "Faults", counted. */
export const STEPS = ["not reserved", "stored", "judged", "committed", "answered"] as const;
export type Step = (typeof STEPS)[number];

/** The steps at which a fault can meet a payment; the others mean nothing. */
const CELLS = {
  "the wallet's worker dies": STEPS,
  "the request is lost or cut": ["stored"],
  "the answer is lost": ["committed"],
  "the request arrives twice": ["judged", "committed", "answered"],
  "the request arrives late": ["stored", "judged", "committed"],
  "the provider is killed": ["stored", "judged", "committed"],
  "overloaded, or unreadable": ["stored", "judged", "committed"],
  "the browser ends": STEPS,
  "the site never settles": ["stored", "committed"],
  "the article does not open": ["answered"],
  "the reader clicks twice": STEPS,
  "two tabs, one coin left": ["not reserved"],
} as const satisfies Readonly<Record<string, readonly Step[]>>;
export type Fault = keyof typeof CELLS;

const FAULTS: readonly Fault[] = Object.keys(CELLS).filter(isFault);

export type Coverage = Map<string, number>;

export function count(coverage: Coverage, fault: Fault, step: Step): void {
  const key = keyOf(fault, step);
  // A fault at a step where it means nothing is none: a lost copy of what was answered long ago, for example.
  if (applies(fault, step)) coverage.set(key, (coverage.get(key) ?? 0) + 1);
}

export function addCoverage(to: Coverage, more: Iterable<readonly [string, number]>): void {
  for (const [key, times] of more) to.set(key, (to.get(key) ?? 0) + times);
}

/** The cells that no run has met. */
export function uncovered(coverage: Coverage): string[] {
  return FAULTS.flatMap((fault) =>
    STEPS.filter((step) => applies(fault, step)).map((step) => keyOf(fault, step)),
  ).filter((key) => !coverage.has(key));
}

export function coverageTable(coverage: Coverage): string {
  const rows = FAULTS.map((fault) => [
    fault,
    ...STEPS.map((step) => (applies(fault, step) ? String(coverage.get(keyOf(fault, step)) ?? 0) : "–")),
  ]);
  const lines = [["fault × step of the payment", ...STEPS], ...rows];
  const widths =
    lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  "),
    )
    .join("\n");
}

function applies(fault: Fault, step: Step): boolean {
  const steps: readonly Step[] = CELLS[fault];
  return steps.includes(step);
}

function keyOf(fault: Fault, step: Step): string {
  return `${fault} × ${step}`;
}

function isFault(name: string): name is Fault {
  return Object.hasOwn(CELLS, name);
}
