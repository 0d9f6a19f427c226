/** The screen of a locked wallet, the same on every page: the passphrase, and the way out for whoever has lost it. */
import { useState } from "preact/hooks";
import type { PageError } from "../../../shared/protocol/page.ts";
import { UiResults } from "../../../shared/protocol/ui.ts";
import { Button } from "./button.tsx";
import { Icon } from "./icon.tsx";
import { ErrorNotice } from "./notice.tsx";
import { Passphrase } from "./passphrase.tsx";
import { t } from "./text.tsx";
import { ask } from "./wallet.ts";

export function Unlock() {
  const [passphrase, setPassphrase] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<PageError | null>(null);
  // The next snapshot takes this screen away.
  const unlock = async () => {
    setBusy(true);
    setError(null);
    const answer = await ask({ kind: "ui", type: "unlock", passphrase }, UiResults.unlock);
    setBusy(false);
    if ("ok" in answer) return;
    setError(answer.error);
    setPassphrase("");
  };
  return (
    <form
      class="unlock"
      onSubmit={(event) => {
        event.preventDefault();
        if (passphrase !== "") void unlock();
      }}
    >
      <span class="unlock-mark">
        <Icon name="lock" size={32} />
      </span>
      <h1>{t("unlock_title")}</h1>
      <p class="soft">{t("unlock_text")}</p>
      <Passphrase
        label={t("unlock_passphrase")}
        value={passphrase}
        isNew={false}
        takesFocus
        onType={(typed) => {
          setPassphrase(typed);
          setError(null);
        }}
      />
      {error ? <ErrorNotice error={error} /> : null}
      <Button type="submit" wide large busy={busy} disabled={passphrase === ""}>
        {t("unlock_action")}
      </Button>
      <Lost />
    </form>
  );
}

function Lost() {
  const [hasPhrase, setHasPhrase] = useState(false);
  const [busy, setBusy] = useState(false);
  const erase = async () => {
    setBusy(true);
    await ask({ kind: "ui", type: "eraseWallet" }, UiResults.eraseWallet);
    setBusy(false);
  };
  return (
    <details class="unlock-lost">
      <summary class="small">{t("unlock_lost")}</summary>
      <div class="unlock-way">
        <p class="small soft">{t("unlock_lost_text")}</p>
        <p class="check small">
          <input
            id="has-phrase"
            type="checkbox"
            checked={hasPhrase}
            onChange={(event) => setHasPhrase(event.currentTarget.checked)}
          />
          <label for="has-phrase">{t("unlock_lost_have")}</label>
        </p>
        <Button look="plain" wide busy={busy} disabled={!hasPhrase} onClick={() => void erase()}>
          {t("unlock_lost_action")}
        </Button>
      </div>
    </details>
  );
}
