/** The part of an address by which a reader recognises a site. As ASCII, so that no letter passes for another. */
export function siteName(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : origin;
}

/** Only such an address may be opened in a tab, whoever named it. */
export function isWebAddress(address: string): boolean {
  return URL.canParse(address) && /^https?:$/.test(new URL(address).protocol);
}
