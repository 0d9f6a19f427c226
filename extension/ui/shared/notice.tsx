import type { ComponentChildren } from "preact";
import type { PageError } from "../../../shared/protocol/page.ts";
import type { RestoreView } from "../../../shared/protocol/ui.ts";
import { errorText } from "./error-text.ts";
import { Icon, type IconName } from "./icon.tsx";
import { t } from "./text.tsx";

export interface NoticeProps {
  readonly tone?: "calm" | "warn" | "danger";
  /** `busy` is a turning ring. The words say the same as icon and colour do. */
  readonly icon: IconName | "busy";
  readonly title: ComponentChildren;
  readonly children?: ComponentChildren;
  readonly actions?: ComponentChildren;
}

export function Notice({ tone = "calm", icon, title, children, actions }: NoticeProps) {
  return (
    <div class="notice rise" data-tone={tone} role={tone === "danger" ? "alert" : undefined}>
      {icon === "busy" ? <span class="ring" /> : <Icon name={icon} size={20} />}
      <div class="notice-body">
        <p class="notice-title">{title}</p>
        {children ? <p>{children}</p> : null}
        {actions ? <div class="notice-actions">{actions}</div> : null}
      </div>
    </div>
  );
}

export function FrozenNotice() {
  return (
    <Notice tone="danger" icon="alert" title={t("shared_frozen_title")}>
      {t("shared_frozen_text")}
    </Notice>
  );
}

export function RestoringNotice({ restore }: { readonly restore: RestoreView | null }) {
  return (
    <Notice icon="busy" title={t("shared_restoring_title")}>
      {describeRestore(restore)}
      {restore !== null && restore.damagedParts > 0 ? ` ${t("shared_restoring_damaged")}` : null}
    </Notice>
  );
}

/** How far it has come; no number that nobody knows yet. */
export function describeRestore(restore: RestoreView | null): string {
  if (restore === null) return t("shared_restoring_text");
  const { phase, receipts: read, receiptsInBackup: all, coinsToCheck: coins } = restore;
  switch (phase) {
    case "reading":
      return all === 0 ? t("shared_restoring_text") : t("shared_restoring_reading", { read, all });
    case "searching":
      return t("shared_restoring_searching", { read });
    case "checking":
      return t("shared_restoring_checking", { coins });
  }
}

/** What happened stands out; what was kept safe and what to do follow. */
export function ErrorNotice({
  error,
  actions,
}: {
  readonly error: PageError;
  readonly actions?: ComponentChildren;
}) {
  const [happened, rest] = errorText(error.code);
  return (
    <Notice tone="danger" icon="alert" title={happened} actions={actions}>
      {rest}
    </Notice>
  );
}
