import type { ComponentChildren } from "preact";
import type { PageError } from "../../../shared/protocol/page.ts";
import type { RestoreView } from "../../../shared/protocol/ui.ts";
import { Icon, type IconName } from "./icon.tsx";

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
    <Notice tone="danger" icon="alert" title="Your account is frozen">
      A top-up was charged back. The coins that you hold stay yours. Talk to your provider.
    </Notice>
  );
}

export function RestoringNotice({ restore }: { readonly restore: RestoreView | null }) {
  return (
    <Notice icon="busy" title="Bringing your wallet back…">
      {describeRestore(restore)}
      {restore !== null && restore.damagedParts > 0
        ? " A part of your backup could not be read: the money is found all the same, some titles are not."
        : null}
    </Notice>
  );
}

/** How far it has come, in one sentence. */
export function describeRestore(restore: RestoreView | null): string {
  if (restore === null) return "Your provider is asked for your coins and for what you bought.";
  const { phase, receipts, receiptsInBackup, coinsToCheck } = restore;
  const read = receipts.toLocaleString();
  switch (phase) {
    case "reading":
      return receiptsInBackup === 0
        ? "Your provider is asked for your backup."
        : `${read} of ${receiptsInBackup.toLocaleString()} receipts are here.`;
    case "searching":
      return `${read} receipts are here. Now looking for what is newer than your backup; until then the balance is not complete. You can pay meanwhile.`;
    case "checking":
      return `Looking at ${coinsToCheck.toLocaleString()} coins that may have been spent elsewhere. You can pay meanwhile.`;
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
  const [happened, rest] = splitMessage(error.message);
  return (
    <Notice tone="danger" icon="alert" title={happened} actions={actions}>
      {rest}
    </Notice>
  );
}

/** The messages of `shared/errors.ts` are three sentences: what happened, what was kept safe, what to do. */
export function splitMessage(message: string): readonly [string, string] {
  const end = message.indexOf(". ");
  return end < 0 ? [message, ""] : [message.slice(0, end + 1), message.slice(end + 2)];
}
