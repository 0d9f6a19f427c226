import type { ComponentChildren } from "preact";

export interface ButtonProps {
  /** One `main` on a screen: what most readers came to do. */
  readonly look?: "main" | "plain" | "quiet" | "hero";
  readonly large?: boolean;
  readonly wide?: boolean;
  readonly type?: "button" | "submit";
  /** At work: disabled, with a turning ring in place of its words, until the answer is there. It stays as wide as it was. */
  readonly busy?: boolean;
  readonly disabled?: boolean;
  /** Where the words alone do not say which row they belong to. */
  readonly label?: string | undefined;
  readonly title?: string | undefined;
  readonly onClick?: () => void;
  readonly children: ComponentChildren;
}

export function Button({
  look = "main",
  large,
  wide,
  type = "button",
  busy,
  disabled,
  label,
  title,
  onClick,
  children,
}: ButtonProps) {
  return (
    <button
      class="button"
      type={type}
      data-look={look}
      data-size={large ? "large" : undefined}
      data-wide={wide ? "" : undefined}
      disabled={busy || disabled}
      aria-busy={busy || undefined}
      aria-label={label}
      title={title}
      onClick={onClick}
    >
      <span class="button-words">{children}</span>
      {busy ? <span class="ring" /> : null}
    </button>
  );
}
