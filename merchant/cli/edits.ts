/** Changes of a text by places in it: what nobody changes stays as it was written, letter by letter. */

export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** In the order of their places; at one place, in the order in which they are given. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let at = 0;
  let edited = "";
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    edited += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return edited + text.slice(at);
}

/** For an attribute in double quotes, and for text, in HTML and in XML. */
export function escapeMarkup(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll('"', "&quot;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
