import { Mark } from "./mark.tsx";
import { t } from "./text.tsx";

/** The line at the top of every screen. The badge never lets play money pass for money. */
export function Brand({ playMoney }: { readonly playMoney: boolean }) {
  return (
    <div class="brand">
      <Mark />
      <span class="brand-name">{t("extension_title")}</span>
      {playMoney ? (
        <span class="badge" title={t("shared_play_money_text")}>
          {t("shared_play_money")}
        </span>
      ) : null}
    </div>
  );
}
