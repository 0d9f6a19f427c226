import { t } from "../../shared/text.tsx";
import type { SectionProps } from "../section.ts";

export function Budgets(_: SectionProps) {
  return <p class="soft">{t("options_budgets_lead")}</p>;
}
