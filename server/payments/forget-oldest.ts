/** Of a cache that is full: a map keeps its entries in the order in which they came. */
export function forgetOldest(map: Map<string, unknown>): void {
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
