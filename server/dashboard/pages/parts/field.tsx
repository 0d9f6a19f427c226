import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

export interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly note?: ComponentChildren;
  readonly placeholder?: string;
  readonly maxLength?: number;
  readonly invalid?: boolean;
  readonly autocomplete?: string;
}

export function Field({ label, value, onInput, note, invalid, ...input }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...input}
        id={id}
        class="input"
        value={value}
        aria-invalid={invalid}
        aria-describedby={note === undefined ? undefined : `${id}-note`}
        spellcheck={false}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {note === undefined ? null : (
        <p class="input-note" id={`${id}-note`}>
          {note}
        </p>
      )}
    </div>
  );
}
