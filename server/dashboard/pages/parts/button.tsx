import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

export interface ButtonProps {
  readonly children: ComponentChildren;
  /** It shows that it is at work until this has ended, and cannot be pressed twice meanwhile. What it throws, `onError` is told. */
  readonly onPress: () => unknown;
  readonly onError?: (error: unknown) => void;
  readonly look?: "plain" | "quiet";
  readonly size?: "large";
  readonly disabled?: boolean;
  /** Of what there are several of on the screen, the name that tells them apart; it begins with the words on it. */
  readonly label?: string;
}

export function Button({ children, onPress, onError, look, size, disabled, label }: ButtonProps) {
  const [busy, setBusy] = useState(false);
  const press = async () => {
    if (busy) return;
    setBusy(true);
    try {
      await onPress();
    } catch (error) {
      onError?.(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type="button"
      class="button"
      data-look={look}
      data-size={size}
      aria-busy={busy}
      aria-label={label}
      disabled={disabled}
      onClick={press}
    >
      <span class="button-words">{children}</span>
      {busy ? <span class="ring" aria-hidden="true" /> : null}
    </button>
  );
}
