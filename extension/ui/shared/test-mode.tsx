/** The strip over every page of ours in test mode, and the way out of it. The colours of the whole page say the same (`components.css`). */
import { useState } from "preact/hooks";
import type { PageError } from "../../../shared/protocol/page.ts";
import { UiResults } from "../../../shared/protocol/ui.ts";
import { Button } from "./button.tsx";
import { Icon } from "./icon.tsx";
import { ErrorNotice } from "./notice.tsx";
import { t } from "./text.tsx";
import { ask, type Mode } from "./wallet.ts";

/** @param canLeave not in a window that asks something, which is answered first */
export function TestMode({ mode, canLeave = true }: { readonly mode: Mode; readonly canLeave?: boolean }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<PageError | null>(null);
  if (mode === "live") return null;
  // The next snapshot takes the strip away.
  const leave = async () => {
    setBusy(true);
    setError(null);
    const answer = await ask({ kind: "ui", type: "setTestMode", on: false }, UiResults.setTestMode);
    setBusy(false);
    if ("error" in answer) setError(answer.error);
  };
  return (
    <div class="test-mode">
      <div class="test-mode-line">
        <Icon name="flask" size={20} />
        <p>
          <strong>{t("test_mode")}</strong> ·{" "}
          <span>{t(mode === "test" ? "test_mode_money" : "shared_play_money_text")}</span>
        </p>
        {canLeave && mode === "test" ? (
          <Button look="quiet" busy={busy} onClick={() => void leave()}>
            {t("test_mode_leave")}
          </Button>
        ) : null}
      </div>
      {error ? <ErrorNotice error={error} /> : null}
    </div>
  );
}
