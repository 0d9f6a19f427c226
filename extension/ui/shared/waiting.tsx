/** The moment before the background has spoken: as large as what comes, so that nothing jumps, and with a title for who hears it. */
export function Waiting(props: { readonly class: string; readonly title: string }) {
  return (
    <div class={props.class} aria-busy="true">
      <h1 class="unseen">{props.title}</h1>
    </div>
  );
}
