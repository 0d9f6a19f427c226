import { useState } from "preact/hooks";
import type { PageError } from "../../../../shared/protocol/page.ts";
import { UiResults } from "../../../../shared/protocol/ui.ts";
import { ask } from "../../shared/wallet.ts";
import type { SectionProps } from "../section.ts";
import { type BackupAsking, type BackupDoing, backupScreen } from "./state.ts";
import { BackupView } from "./view.tsx";

/** What stands at the provider, sealed, for the day on which this browser is lost; coins that other browsers hold; and the way out. */
export function Backup({ snapshot, now }: SectionProps) {
  const [doing, setDoing] = useState<BackupDoing>(null);
  const [error, setError] = useState<PageError | null>(null);
  const [asking, setAsking] = useState<BackupAsking>(null);
  const act = async (type: NonNullable<BackupDoing>) => {
    setDoing(type);
    setError(null);
    const answer = await ask({ kind: "ui", type }, UiResults[type]);
    setDoing(null);
    setAsking(null);
    if ("error" in answer) setError(answer.error);
  };
  return (
    <BackupView
      screen={backupScreen(snapshot, now)}
      doing={doing}
      error={error}
      asking={asking}
      actions={{
        save: () => void act("saveBackup"),
        takeOver: () => void act("takeOver"),
        deposit: () => void act("depositAll"),
        close: () => void act("closeAccount"),
        remove: () => void act("eraseWallet"),
        ask: setAsking,
      }}
    />
  );
}
