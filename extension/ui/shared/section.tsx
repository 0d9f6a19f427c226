import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

export function Section(props: {
  readonly title: string;
  readonly note?: string;
  readonly action?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const id = useId();
  return (
    <section class="section" aria-labelledby={id}>
      <div class="section-head small">
        <h2 class="section-title" id={id}>
          {props.title}
        </h2>
        {props.action}
        {props.note ? <p class="soft">{props.note}</p> : null}
      </div>
      {props.children}
    </section>
  );
}
