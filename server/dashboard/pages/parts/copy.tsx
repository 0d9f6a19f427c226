import { useRef, useState } from "preact/hooks";
import { Button } from "./button.tsx";

const SAID_MILLISECONDS = 2_000;

/** Text to take along: shown whole, copied by one button. */
export function Copy({
  text,
  label,
  many = false,
}: {
  readonly text: string;
  readonly label: string;
  readonly many?: boolean;
}) {
  const [copied, setCopied] = useState(false);
  const shown = useRef<HTMLElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Where the browser does not let it, what is marked can be copied by hand.
      if (shown.current) getSelection()?.selectAllChildren(shown.current);
      return;
    }
    setCopied(true);
    setTimeout(() => setCopied(false), SAID_MILLISECONDS);
  };
  return (
    <div class="copy" data-many={many}>
      <section class="copy-text" aria-label={label} tabindex={0}>
        <pre>
          <code ref={shown}>{text}</code>
        </pre>
      </section>
      <Button look="plain" onPress={copy} label={`Copy: ${label}`}>
        {copied ? "Copied" : "Copy"}
      </Button>
      <span class="unseen" role="status">
        {copied ? "Copied" : ""}
      </span>
    </div>
  );
}
