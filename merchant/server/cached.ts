/** One value from the provider, kept for a while; an old one is better than none while the provider cannot be reached. */

export interface CachedValue<T> {
  /** Undefined only where it could never be had. `atLeast`: milliseconds since 1970, refuses what was fetched before. */
  readonly get: (atLeast?: number) => Promise<T | undefined>;
}

export interface CacheDeps {
  readonly now: () => number;
}

/** @param load resolves with undefined, or rejects, where the value cannot be had now */
export function cachedValue<T>(
  load: () => Promise<T | undefined>,
  lifeMs: number,
  { now }: CacheDeps,
): CachedValue<T> {
  let value: T | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<void> | undefined;

  const refresh = async () => {
    triedAt = now();
    value = (await load().catch(() => undefined)) ?? value;
    loading = undefined;
  };
  return {
    async get(atLeast = Number.NEGATIVE_INFINITY) {
      if (now() - triedAt >= lifeMs || triedAt < atLeast) loading ??= refresh();
      await loading;
      return value;
    },
  };
}
