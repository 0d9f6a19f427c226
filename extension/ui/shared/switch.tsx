/** A switch that takes effect at once, with the words that say what for. */
export function Switch(props: {
  readonly id: string;
  readonly label: string;
  readonly note: string;
  readonly on: boolean;
  readonly busy: boolean;
  readonly onChange: (on: boolean) => void;
}) {
  const { id, label, note, on, busy, onChange } = props;
  return (
    <div class="card switch-row">
      <span class="switch-words">
        <label for={id}>{label}</label>
        <span id={`${id}-note`} class="small soft">
          {note}
        </span>
      </span>
      <input
        id={id}
        class="switch"
        type="checkbox"
        role="switch"
        aria-checked={on}
        aria-describedby={`${id}-note`}
        checked={on}
        disabled={busy}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    </div>
  );
}
