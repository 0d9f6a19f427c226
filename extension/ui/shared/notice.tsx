import type { ComponentChildren } from "preact";
import type { PageError } from "../../../shared/protocol/page.ts";
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

export function RestoringNotice() {
  return (
    <Notice icon="busy" title={t("shared_restoring_title")}>
      {t("shared_restoring_text")}
    </Notice>
  );
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
