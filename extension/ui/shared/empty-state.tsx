import type { ComponentChildren } from "preact";

export function EmptyState({ title, children, action }: { readonly title: string; readonly children: ComponentChildren; readonly action?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      <p>{children}</p>
      {action}
    </div>
  );
}
