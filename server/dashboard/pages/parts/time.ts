/** Times as this browser's owner writes them. */
export function day(milliseconds: number): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium" }).format(milliseconds);
}
