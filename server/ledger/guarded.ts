/** The records that a guard may name. An adapter that holds no lock while judging has to know them when they are written. */

const GUARDED_PREFIXES = ["frozen:", "closing:"];

export function mayBeGuarded(recordKey: string): boolean {
  return GUARDED_PREFIXES.some((prefix) => recordKey.startsWith(prefix));
}
