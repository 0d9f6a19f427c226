/** What was worked out lately, so that it is not worked out again: so many, and those that were not asked for longest go. */
export function rememberRecent<T>(most: number): (name: string, workOut: () => T) => T {
  const known = new Map<string, T>();
  return (name, workOut) => {
    const found = known.has(name) ? (known.get(name) as T) : workOut();
    known.delete(name);
    known.set(name, found);
    const [oldest] = known.keys();
    if (known.size > most && oldest !== undefined) known.delete(oldest);
    return found;
  };
}
