import type { ComponentChildren } from "preact";
import { Mark } from "./mark.tsx";

export interface EmptyStateProps {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly action?: ComponentChildren;
  /** It is all that there is on the page: then its title is the page's. */
  readonly isWholePage?: boolean;
  readonly hasMark?: boolean;
}

export function EmptyState({ title, children, action, isWholePage, hasMark }: EmptyStateProps) {
  return (
    <div class="empty">
      {hasMark ? <Mark size={48} /> : null}
      {isWholePage ? <h1>{title}</h1> : <h2>{title}</h2>}
      <p>{children}</p>
      {action}
    </div>
  );
}
