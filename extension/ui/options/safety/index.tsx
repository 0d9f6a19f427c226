import { useState } from "preact/hooks";
import { UiResults } from "../../../../shared/protocol/ui.ts";
import { ask } from "../../shared/wallet.ts";
import type { SectionProps } from "../section.ts";
import { LOCAL_AT_START, requestOf, type SafetyLocal, screen } from "./state.ts";
import { SafetyView } from "./view.tsx";

/** What keeps the wallet from whoever has the computer, and when it locks itself. */
export function Safety({ snapshot }: SectionProps) {
  const [local, setLocal] = useState<SafetyLocal>(LOCAL_AT_START);
  const change = (changed: Partial<SafetyLocal>): void => setLocal((before) => ({ ...before, ...changed }));
  const shown = screen(snapshot, local);
  const save = async () => {
    change({ busy: true, error: null });
    const answer = await ask(requestOf(shown, local), UiResults.protect);
    // Typed passphrases stay nowhere.
    if ("ok" in answer) setLocal({ ...LOCAL_AT_START, done: true });
    else change({ busy: false, error: answer.error });
  };
  return (
    <SafetyView
      screen={shown}
      local={local}
      actions={{
        change: (changed) => change({ ...changed, error: null, done: false }),
        save: () => void save(),
        lock: () => void ask({ kind: "ui", type: "lock" }, UiResults.lock),
      }}
    />
  );
}
