import { useEffect, useRef, useState } from "preact/hooks";

/**
 * Reads `words` aloud whenever they change, and not when the page opens: then the reader finds them in their place.
 * The element is there from the start, because an ARIA live region that comes with its text is not read.
 */
export function Announcer({ words }: { readonly words: string }) {
  const [spoken, speak] = useState("");
  const before = useRef(words);
  useEffect(() => {
    if (before.current !== words) speak(words);
    before.current = words;
  }, [words]);
  return (
    <div class="unseen" role="status" aria-live="polite">
      {spoken}
    </div>
  );
}
