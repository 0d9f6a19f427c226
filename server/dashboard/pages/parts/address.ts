/** Addresses that strangers chose, as text: readable, and without a character that would move or hide others. */
export function pathOf(resource: string): string {
  const { pathname, search } = new URL(resource);
  return readable(pathname + search);
}

function readable(path: string): string {
  try {
    return decodeURI(path).replace(/[\p{C}\p{Z}]/gu, (character) => encodeURIComponent(character));
  } catch {
    // Bytes that are no text, or half of a character.
    return path;
  }
}
