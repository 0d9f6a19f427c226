import type { Background } from "./compose.ts";

/** Does what the reader clicked for, and has it counted meanwhile: the wallet does not change in the middle of it. */
export async function underWay<T>(
  { underWay }: Pick<Background, "underWay">,
  work: () => Promise<T>,
): Promise<T> {
  const mark = Symbol("under way");
  underWay.add(mark);
  try {
    return await work();
  } finally {
    underWay.delete(mark);
  }
}
