import type { PageError } from "../../../../shared/protocol/page.ts";
import { Button } from "../../shared/button.tsx";
import { Icon } from "../../shared/icon.tsx";
import { ErrorNotice, Notice, RestoringNotice } from "../../shared/notice.tsx";
import { Section } from "../../shared/section.tsx";
import { t } from "../../shared/text.tsx";
import type { BackupDoing, BackupScreen, LeavingScreen } from "./state.ts";

interface BackupActions {
  save(): void;
  takeOver(): void;
  deposit(): void;
  close(): void;
  remove(): void;
  /** Whether the last step is asked about. */
  ask(isAsking: boolean): void;
}

export function BackupView(props: {
  readonly screen: BackupScreen;
  readonly doing: BackupDoing;
  /** Of what the reader asked for just now. */
  readonly error: PageError | null;
  readonly isAsking: boolean;
  readonly actions: BackupActions;
}) {
  const { screen, doing, actions } = props;
  const error = props.error ?? screen.error;
  return (
    <>
      {screen.restore ? <RestoringNotice restore={screen.restore} /> : null}
      {error ? <ErrorNotice error={error} /> : null}
      <Section title={t("backup_title")}>
        <div class="card setting">
          <p class="setting-standing">
            <Icon name={screen.savedAt === null ? "clock" : "shield"} size={20} />
            <span>
              {screen.savedAt === null ? t("backup_never") : t("backup_saved", { time: screen.savedAt })}
              {screen.isUnsaved && screen.savedAt !== null ? ` ${t("backup_unsaved")}` : null}
            </span>
          </p>
          <div class="setting-actions">
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
      <Leaving leaving={screen.leaving} doing={doing} isAsking={props.isAsking} actions={actions} />
    </>
  );
}

/** In the order in which it is done: coins into the account, the account paid out, the wallet removed. */
function Leaving(props: {
  readonly leaving: LeavingScreen;
  readonly doing: BackupDoing;
  readonly isAsking: boolean;
  readonly actions: BackupActions;
}) {
  const { leaving, doing, actions } = props;
  const { inCoins, inAccount, paidOut } = leaving;
  const isEmpty = inCoins === null && inAccount === null;
  return (
    <Section title={t("leave_title")}>
      <div class="card setting">
        <p class="setting-standing" role="status">
          <Icon name={paidOut === null ? "forward" : "check"} size={20} />
          <span>
            {paidOut !== null
              ? t("leave_paid_out", { amount: paidOut })
              : leaving.resting && inCoins === null && inAccount !== null
                ? t("leave_resting", { amount: inAccount })
                : t("leave_text")}
          </span>
        </p>
        <div class="setting-actions">
          {inCoins === null ? null : (
            <Button look="plain" busy={doing === "depositAll"} onClick={actions.deposit}>
              {t("leave_deposit", { amount: inCoins })}
            </Button>
          )}
          {isEmpty ? null : (
            <Button look="plain" busy={doing === "closeAccount"} onClick={actions.close}>
              {t("leave_close")}
            </Button>
          )}
          <Button look="quiet" disabled={!leaving.hasPhrase && !isEmpty} onClick={() => actions.ask(true)}>
            {t("leave_remove")}
          </Button>
        </div>
        {props.isAsking ? (
          <Notice
            tone="warn"
            icon="alert"
            title={t("leave_remove_title")}
            actions={
              <>
                <Button look="quiet" busy={doing === "eraseWallet"} onClick={actions.remove}>
                  {t("leave_remove_yes")}
                </Button>
                <Button look="quiet" onClick={() => actions.ask(false)}>
                  {t("leave_remove_no")}
                </Button>
              </>
            }
          >
            {t("leave_remove_text")}
          </Notice>
        ) : null}
      </div>
      <p class="small soft">{t(leaving.hasPhrase || isEmpty ? "leave_note" : "leave_phrase_first")}</p>
    </Section>
  );
}
