import type { PageError } from "../../../../shared/protocol/page.ts";
import { Button } from "../../shared/button.tsx";
import { Icon } from "../../shared/icon.tsx";
import { ErrorNotice, Notice, RestoringNotice } from "../../shared/notice.tsx";
import { Section } from "../../shared/section.tsx";
import { t } from "../../shared/text.tsx";
import type { BackupDoing, BackupScreen } from "./state.ts";

interface BackupActions {
  save(): void;
  takeOver(): void;
}

export function BackupView(props: {
  readonly screen: BackupScreen;
  readonly doing: BackupDoing;
  /** Of what the reader asked for just now. */
  readonly error: PageError | null;
  readonly actions: BackupActions;
}) {
  const { screen, doing, actions } = props;
  const error = props.error ?? screen.error;
  return (
    <>
      {screen.restore ? <RestoringNotice restore={screen.restore} /> : null}
      {error ? <ErrorNotice error={error} /> : null}
      <Section title={t("backup_title")}>
        <div class="card safety">
          <p class="safety-standing">
            <Icon name={screen.savedAt === null ? "clock" : "shield"} size={20} />
            <span>
              {screen.savedAt === null ? t("backup_never") : t("backup_saved", { time: screen.savedAt })}
              {screen.isUnsaved && screen.savedAt !== null ? ` ${t("backup_unsaved")}` : null}
            </span>
          </p>
          <div class="safety-actions">
            <Button look="plain" busy={doing === "saveBackup"} onClick={actions.save}>
              {t("backup_save_now")}
            </Button>
          </div>
        </div>
        <p class="small soft">{t("backup_what")}</p>
        <p class="small soft">{t("backup_when")}</p>
      </Section>
      {screen.elsewhere === null ? null : (
        <Section title={t("backup_elsewhere_title")}>
          <Notice
            icon="key"
            title={t("backup_elsewhere", { amount: screen.elsewhere })}
            actions={
              <Button look="plain" busy={doing === "takeOver"} onClick={actions.takeOver}>
                {t("backup_take_over")}
              </Button>
            }
          >
            {t("backup_take_over_text")}
          </Notice>
        </Section>
      )}
    </>
  );
}
