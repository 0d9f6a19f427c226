import type { PageError } from "../../../../shared/protocol/page.ts";
import { Button } from "../../shared/button.tsx";
import { Icon } from "../../shared/icon.tsx";
import { ErrorNotice, FrozenNotice, Notice, RestoringNotice } from "../../shared/notice.tsx";
import { Section } from "../../shared/section.tsx";
import { t } from "../../shared/text.tsx";
import type { BackupAsking, BackupDoing, BackupScreen, LeavingScreen } from "./state.ts";

interface BackupActions {
  save(): void;
  takeOver(): void;
  deposit(): void;
  close(): void;
  remove(): void;
  /** Asks before a step that nobody takes back; null asks no more. */
  ask(asking: BackupAsking): void;
}

export function BackupView(props: {
  readonly screen: BackupScreen;
  readonly doing: BackupDoing;
  /** Of what the reader asked for just now. */
  readonly error: PageError | null;
  readonly asking: BackupAsking;
  readonly actions: BackupActions;
}) {
  const { screen, doing, actions } = props;
  const error = props.error ?? screen.error;
  return (
    <>
      {screen.leaving.restoring ? <RestoringNotice restore={screen.restore} /> : null}
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
      <Leaving
        leaving={screen.leaving}
        elsewhere={screen.elsewhere}
        doing={doing}
        asking={props.asking}
        actions={actions}
      />
    </>
  );
}

/** In the order in which it is done: coins into the account, the account paid out, the wallet removed. */
function Leaving(props: {
  readonly leaving: LeavingScreen;
  readonly elsewhere: string | null;
  readonly doing: BackupDoing;
  readonly asking: BackupAsking;
  readonly actions: BackupActions;
}) {
  const { leaving, doing, asking, actions } = props;
  const { inCoins, inAccount, frozen, restoring, canRemove } = leaving;
  const canDeposit = inCoins !== null && !frozen;
  const canClose = (inCoins !== null || inAccount !== null) && !frozen;
  return (
    <Section title={t("leave_title")}>
      <div class="card setting">
        {frozen ? <FrozenNotice /> : <Standing leaving={leaving} />}
        <div class="setting-actions">
          {canDeposit ? (
            <Button look="plain" busy={doing === "depositAll"} disabled={restoring} onClick={actions.deposit}>
              {t("leave_deposit", { amount: inCoins })}
            </Button>
          ) : null}
          {canClose ? (
            <Button look="plain" disabled={restoring} onClick={() => actions.ask("closeAccount")}>
              {t("leave_close")}
            </Button>
          ) : null}
          <Button look="quiet" disabled={!canRemove} onClick={() => actions.ask("eraseWallet")}>
            {t("leave_remove")}
          </Button>
        </div>
        {asking === "closeAccount" && canClose && !restoring ? (
          <Notice
            tone={props.elsewhere === null ? "warn" : "danger"}
            icon="alert"
            title={t("leave_close_title")}
            actions={
              <>
                <Button look="quiet" busy={doing === "closeAccount"} onClick={actions.close}>
                  {t("leave_close_yes")}
                </Button>
                <Button look="quiet" onClick={() => actions.ask(null)}>
                  {t("leave_close_no")}
                </Button>
              </>
            }
          >
            {t("leave_close_text")}
            {props.elsewhere === null ? null : ` ${t("leave_close_elsewhere", { amount: props.elsewhere })}`}
          </Notice>
        ) : null}
        {asking === "eraseWallet" && canRemove ? (
          <Notice
            tone="warn"
            icon="alert"
            title={t("leave_remove_title")}
            actions={
              <>
                <Button look="quiet" busy={doing === "eraseWallet"} onClick={actions.remove}>
                  {t("leave_remove_yes")}
                </Button>
                <Button look="quiet" onClick={() => actions.ask(null)}>
                  {t("leave_remove_no")}
                </Button>
              </>
            }
          >
            {t("leave_remove_text")}
          </Notice>
        ) : null}
      </div>
      {!canRemove ? (
        <p class="small soft">{t("leave_phrase_first")}</p>
      ) : frozen ? null : (
        <p class="small soft">{t("leave_note")}</p>
      )}
    </Section>
  );
}

function Standing({ leaving }: { readonly leaving: LeavingScreen }) {
  const { inCoins, inAccount, resting, paidOut } = leaving;
  return (
    <p class="setting-standing" role="status">
      <Icon name={paidOut === null ? "forward" : "check"} size={20} />
      <span>
        {paidOut !== null
          ? t("leave_paid_out", { amount: paidOut })
          : resting && inCoins === null && inAccount !== null
            ? t("leave_resting", { amount: inAccount })
            : t("leave_text")}
      </span>
    </p>
  );
}
