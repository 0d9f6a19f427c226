import { useEffect, useId, useRef } from "preact/hooks";

/** A field for a passphrase, so named that password managers know what it is. */
export function Passphrase(props: {
  readonly label: string;
  readonly value: string;
  readonly isNew: boolean;
  readonly takesFocus?: boolean;
  readonly note?: string | undefined;
  readonly onType: (typed: string) => void;
}) {
  const { label, value, isNew, takesFocus, note, onType } = props;
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (takesFocus) field.current?.focus();
  }, []);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        ref={field}
        id={id}
        class="input"
        type="password"
        autocomplete={isNew ? "new-password" : "current-password"}
        spellcheck={false}
        maxLength={200}
        aria-describedby={note === undefined ? undefined : `${id}-note`}
        value={value}
        onInput={(event) => onType(event.currentTarget.value)}
      />
      {note === undefined ? null : (
        <p class="input-note small soft" id={`${id}-note`}>
          {note}
        </p>
      )}
    </div>
  );
}
