import { Button } from "../../shared/button.tsx";
import { Icon } from "../../shared/icon.tsx";
import { ErrorNotice, Notice } from "../../shared/notice.tsx";
import { Passphrase } from "../../shared/passphrase.tsx";
import { Section } from "../../shared/section.tsx";
import { t } from "../../shared/text.tsx";
import { describeMinutes } from "../../shared/time.ts";
import { LOCK_AFTER_MINUTES, type SafetyLocal, type SafetyScreen } from "./state.ts";

export interface SafetyActions {
  change(changed: Partial<SafetyLocal>): void;
  save(): void;
  lock(): void;
}

interface SafetyProps {
  readonly screen: SafetyScreen;
  readonly local: SafetyLocal;
  readonly actions: SafetyActions;
}

export function SafetyView({ screen, local, actions }: SafetyProps) {
  return (
    <Section title={t("safety_passphrase_title")}>
      {local.done ? <Notice icon="check" title={t("safety_saved")} /> : null}
      <div class="card setting">
        <p class="setting-standing" role="status">
          <Icon name={screen.hasPassphrase ? "lock" : "shield"} size={20} />
          <span>
            {screen.hasPassphrase
              ? t("safety_has", { time: describeMinutes(screen.minutes) })
              : t("safety_device")}
          </span>
        </p>
        {screen.changing === null ? (
          <div class="setting-actions">
            <Button
              look={screen.hasPassphrase ? "plain" : "main"}
              onClick={() => actions.change({ changing: "set" })}
            >
              {t(screen.hasPassphrase ? "safety_change" : "safety_set")}
            </Button>
            {screen.hasPassphrase ? (
              <>
                <Button look="plain" onClick={actions.lock}>
                  {t("safety_lock_now")}
                </Button>
                <Button look="quiet" onClick={() => actions.change({ changing: "remove" })}>
                  {t("safety_remove")}
                </Button>
              </>
            ) : null}
          </div>
        ) : (
          <Form screen={screen} local={local} actions={actions} />
        )}
      </div>
      <p class="small soft">{t("safety_honest")}</p>
    </Section>
  );
}

function Form({ screen, local, actions }: SafetyProps) {
  const isSetting = screen.changing === "set";
  return (
    <form
      class="setting-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (screen.canSave) actions.save();
      }}
    >
      {screen.hasPassphrase ? (
        <Passphrase
          label={t("safety_current")}
          value={local.current}
          isNew={false}
          takesFocus
          onType={(current) => actions.change({ current })}
        />
      ) : null}
      {isSetting ? (
        <>
          <Passphrase
            label={t("safety_new")}
            value={local.passphrase}
            isNew
            takesFocus={!screen.hasPassphrase}
            note={t(screen.problem === "short" ? "safety_problem_short" : "safety_advice")}
            onType={(passphrase) => actions.change({ passphrase })}
          />
          <Passphrase
            label={t("safety_again")}
            value={local.again}
            isNew
            note={screen.problem === "different" ? t("safety_problem_different") : undefined}
            onType={(again) => actions.change({ again })}
          />
          <div class="field">
            <label for="lock-after">{t("safety_lock_after")}</label>
            <select
              id="lock-after"
              class="input"
              value={screen.minutes}
              onChange={(event) => actions.change({ minutes: Number(event.currentTarget.value) })}
            >
              {LOCK_AFTER_MINUTES.map((minutes) => (
                <option key={minutes} value={minutes}>
                  {describeMinutes(minutes)}
                </option>
              ))}
            </select>
          </div>
          <p class="small soft">{t("safety_forgotten")}</p>
        </>
      ) : null}
      {local.error ? <ErrorNotice error={local.error} /> : null}
      <div class="setting-actions">
        <Button type="submit" busy={local.busy} disabled={!screen.canSave}>
          {t(isSetting ? "safety_save" : "safety_remove")}
        </Button>
        <Button
          look="plain"
          onClick={() => actions.change({ changing: null, current: "", passphrase: "", again: "" })}
        >
          {t("safety_cancel")}
        </Button>
      </div>
    </form>
  );
}
