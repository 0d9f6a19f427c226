/** The section "Budgets": sets what the reader saves, and shows what the wallet makes of it. */
import { useState } from "preact/hooks";
import type { PageError } from "../../../../shared/protocol/page.ts";
import { type UiRequestJson, UiResults } from "../../../../shared/protocol/ui.ts";
import { writeRoute } from "../../shared/route.ts";
import { ask } from "../../shared/wallet.ts";
import type { SectionProps } from "../section.ts";
import { budgetsScreen } from "./state.ts";
import { type BudgetsActions, BudgetsView } from "./view.tsx";

export function Budgets({ snapshot, route }: SectionProps) {
  const [busy, setBusy] = useState<readonly string[]>([]);
  const [saved, setSaved] = useState<string | null>(null);
  const [error, setError] = useState<PageError | null>(null);

  const act = async (key: string, request: UiRequestJson): Promise<boolean> => {
    setBusy((before) => [...before, key]);
    setError(null);
    setSaved(null);
    // They all answer with nothing.
    const answer = await ask(request, UiResults.setPaused);
    setBusy((before) => before.filter((other) => other !== key));
    if ("error" in answer) setError(answer.error);
    else setSaved(key);
    return "ok" in answer;
  };
  const text = (limit: bigint | null): string | null => (limit === null ? null : String(limit));
  const actions: BudgetsActions = {
    setPaused: (paused) => void act("pause", { kind: "ui", type: "setPaused", paused }),
    setMonthlyLimit: (limit) => act("month", { kind: "ui", type: "setMonthlyLimit", limit: text(limit) }),
    setSite: async (origin, { perPayment, perDay, perMonth }) => {
      const isDone = await act(origin, {
        kind: "ui",
        type: "setAllowance",
        origin,
        perPayment: text(perPayment),
        perDay: text(perDay),
        perMonth: text(perMonth),
      });
      if (isDone && route.chosen.site !== undefined) location.replace(writeRoute("budgets"));
      return isDone;
    },
    removeSite: (origin) => act(origin, { kind: "ui", type: "removeAllowance", origin }),
  };
  return (
    <BudgetsView
      screen={budgetsScreen(snapshot, route.chosen.site)}
      busy={busy}
      saved={saved}
      error={error}
      actions={actions}
    />
  );
}
