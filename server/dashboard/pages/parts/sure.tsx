import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Button } from "./button.tsx";

export interface SureProps {
  /** On the button: "Remove". */
  readonly children: ComponentChildren;
  /** What it is about, for whoever hears the button and does not see what it stands beside. */
  readonly about: string;
  /** On the second button: "Remove for good". */
  readonly words: string;
  /** What follows from it. */
  readonly consequence: string;
  readonly onYes: () => Promise<unknown>;
  readonly onError: (error: unknown) => void;
}

/** For what cannot be taken back: asks once more, in its own place. */
export function Sure({ children, about, words, consequence, onYes, onError }: SureProps) {
  const [isAsking, setAsking] = useState(false);
  if (!isAsking)
    return (
      <Button look="quiet" label={`${children}: ${about}`} onPress={() => setAsking(true)}>
        {children}
      </Button>
    );
  return (
    <div class="sure" role="alertdialog" aria-label={`${words}: ${about}`}>
      <p class="small">{consequence}</p>
      <div class="row">
        <Button look="plain" label={`${words}: ${about}`} onError={onError} onPress={onYes} takesFocus>
          {words}
        </Button>
        <Button look="quiet" onPress={() => setAsking(false)}>
          Keep
        </Button>
      </div>
    </div>
  );
}
