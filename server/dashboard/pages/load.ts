/** What a screen reads before it can show anything. */
import { useCallback, useEffect, useState } from "preact/hooks";

export type Loaded<T> =
  | { readonly state: "loading" }
  | { readonly state: "failed"; readonly error: unknown }
  | { readonly state: "ready"; readonly value: T };

/**
 * @param read called at the beginning and whenever `key` changes
 * @returns besides, a function that reads again; what is shown stays until the answer is there
 */
export function useLoaded<T>(key: string, read: () => Promise<T>): readonly [Loaded<T>, () => Promise<void>] {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: "loading" });
  // biome-ignore lint/correctness/useExhaustiveDependencies: `read` is another function at each drawing; `key` says what it reads
  const reload = useCallback(async () => {
    try {
      setLoaded({ state: "ready", value: await read() });
    } catch (error) {
      setLoaded({ state: "failed", error });
    }
  }, [key]);
  useEffect(() => {
    setLoaded({ state: "loading" });
    void reload();
  }, [reload]);
  return [loaded, reload];
}
