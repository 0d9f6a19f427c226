/**
 * The browser's formatters, each made once: to make one takes a browser as long as to write a hundred amounts with it, and a
 * page of the history has three hundred.
 */

const numbers = new Map<string, Intl.NumberFormat>();
const dates = new Map<string, Intl.DateTimeFormat>();

export function numberFormat(locale: string, options: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
  return once(numbers, locale, options, () => new Intl.NumberFormat(locale, options));
}

export function dateFormat(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  // One that was made before the computer went to another time zone goes on in the one before.
  const zone = new Date().getTimezoneOffset();
  return once(dates, `${locale} ${zone}`, options, () => new Intl.DateTimeFormat(locale, options));
}

function once<Format>(made: Map<string, Format>, place: string, options: object, make: () => Format): Format {
  const name = `${place} ${JSON.stringify(options)}`;
  const known = made.get(name);
  if (known) return known;
  const format = make();
  made.set(name, format);
  return format;
}
