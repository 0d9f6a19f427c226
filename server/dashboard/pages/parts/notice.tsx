import type { ComponentChildren } from "preact";
import { Refusal } from "../api.ts";
import { Button } from "./button.tsx";

export interface NoticeProps {
  readonly title: string;
  readonly tone?: "danger" | "warn";
  readonly children?: ComponentChildren;
}

export function Notice({ title, tone, children }: NoticeProps) {
  return (
    <div class="notice" data-tone={tone} role={tone === "danger" ? "alert" : "status"}>
      <span class="notice-mark" aria-hidden="true">
        {tone === undefined ? "✓" : "!"}
      </span>
      <div class="notice-body">
        <p class="notice-title">{title}</p>
        {children}
      </div>
    </div>
  );
}

/** What went wrong, what is safe, what to do; nothing where nothing went wrong. */
export function Failure({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => unknown }) {
  if (error === undefined) return null;
  const [title, rest] =
    error instanceof Refusal
      ? [error.message, error.rest]
      : error instanceof Error && error.message !== ""
        ? [error.message, "Nothing was changed."]
        : ["Something went wrong in this page.", "Reload it."];
  return (
    <Notice title={title} tone="danger">
      <p>{rest}</p>
      {onRetry ? (
        <div class="notice-actions">
          <Button look="quiet" onPress={onRetry}>
            Try again
          </Button>
        </div>
      ) : null}
    </Notice>
  );
}
