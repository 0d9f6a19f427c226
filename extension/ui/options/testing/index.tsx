import { useState } from "preact/hooks";
import type { PageError } from "../../../../shared/protocol/page.ts";
import { UiResults } from "../../../../shared/protocol/ui.ts";
import { ErrorNotice } from "../../shared/notice.tsx";
import { Section } from "../../shared/section.tsx";
import { Switch } from "../../shared/switch.tsx";
import { t } from "../../shared/text.tsx";
import { ask } from "../../shared/wallet.ts";
import type { SectionProps } from "../section.ts";

/** For site owners: another wallet with play money, to be their own first reader. */
export function Testing({ snapshot }: SectionProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<PageError | null>(null);
  const isOn = snapshot.testMode === "on";
  const change = async (on: boolean) => {
    setBusy(true);
    setError(null);
    const answer = await ask({ kind: "ui", type: "setTestMode", on }, UiResults.setTestMode);
    setBusy(false);
    if ("error" in answer) setError(answer.error);
  };
  return (
    <Section title={t("testing_title")}>
      <p class="soft">{t("testing_text")}</p>
      {error ? <ErrorNotice error={error} /> : null}
      <Switch
        id="test-mode"
        label={t("test_mode")}
        note={t(isOn ? "testing_note_on" : "testing_note_off")}
        on={isOn}
        busy={busy}
        onChange={(on) => void change(on)}
      />
      <ul class="testing-points small soft">
        <li>{t("testing_apart")}</li>
        <li>{t("testing_pages")}</li>
        <li>{t("testing_restart")}</li>
      </ul>
    </Section>
  );
}
