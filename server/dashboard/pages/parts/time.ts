/** Times as this browser's owner writes them. */
export function day(milliseconds: number): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium" }).format(milliseconds);
}

export function moment(milliseconds: number): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(milliseconds);
}

/** @param day in UTC, `2026-11-30` */
export function utcDate(day: string): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" }).format(Date.parse(day));
}
