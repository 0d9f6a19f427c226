import { t } from "../../shared/text.tsx";
import type { SectionProps } from "../section.ts";

export function Spending(_: SectionProps) {
  return <p class="soft">{t("options_spending_lead")}</p>;
}
