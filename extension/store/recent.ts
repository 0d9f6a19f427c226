/**
 * What was worked out lately, so that it is not worked out again: up to so many characters, names included. What was not asked
 * for longest goes first.
 */
export function rememberRecent(mostCharacters: number): (name: string, workOut: () => string) => string {
  const known = new Map<string, string>();
  let characters = 0;
  const forget = (name: string, text: string): void => {
    known.delete(name);
    characters -= name.length + text.length;
  };
  return (name, workOut) => {
    const before = known.get(name);
    const text = before ?? workOut();
    if (before !== undefined) forget(name, before);
    known.set(name, text);
    characters += name.length + text.length;
    for (const [oldName, oldText] of known) {
      if (characters <= mostCharacters) break;
      forget(oldName, oldText);
    }
    return text;
  };
}
