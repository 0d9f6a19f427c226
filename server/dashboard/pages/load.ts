/** What a screen reads before it can show anything. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export type Loaded<T> =
  | { readonly state: "loading" }
  | { readonly state: "failed"; readonly error: unknown }
  | { readonly state: "ready"; readonly value: T };

/**
 * @param read called at the beginning and whenever `key` changes
 * @param version where it changes, it is read again, and what is shown stays until the answer is there
 * @returns besides, a function that reads again, likewise
 */
export function useLoaded<T>(
  key: string,
  read: () => Promise<T>,
  version = "",
): readonly [Loaded<T>, () => Promise<void>] {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: "loading" });
  // `read` is another function at each drawing; `key` says what it reads.
  const reload = useCallback(async () => {
    try {
      setLoaded({ state: "ready", value: await read() });
    } catch (error) {
      // What is shown already stays, with all that was typed; whoever asked to read again tells of the failure.
      let isShown = false;
      setLoaded((before) => {
        isShown = before.state === "ready";
        return isShown ? before : { state: "failed", error };
      });
      if (isShown) throw error;
    }
  }, [key]);
  useEffect(() => {
    setLoaded({ state: "loading" });
    void reload().catch(() => undefined);
  }, [reload]);
  useEffect(() => {
    if (version !== "") void reload();
  }, [version]);
  return [loaded, reload];
}

/** What was read last: where something else is asked for, it stays until that is there, and nothing jumps. */
export function useKept<T>(loaded: Loaded<T>): T | undefined {
  const kept = useRef<T | undefined>(undefined);
  if (loaded.state === "ready") kept.current = loaded.value;
  return kept.current;
}

/** Again and again while the page is looked at. An answer that fails is told, until the next one that does not. */
export function useRepeated<T>(key: string, read: () => Promise<T>, everyMilliseconds: number): Loaded<T> {
  const [loaded, reload] = useLoaded(key, read);
  useEffect(() => {
    const repeat = () => {
      if (document.visibilityState === "visible") void reload();
    };
    const timer = setInterval(repeat, everyMilliseconds);
    document.addEventListener("visibilitychange", repeat);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", repeat);
    };
  }, [reload, everyMilliseconds]);
  return loaded;
}
