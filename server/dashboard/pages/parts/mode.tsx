import { useEffect } from "preact/hooks";
import type { DashboardProvider } from "../../../../shared/protocol/dashboard.ts";
import { linkTo } from "../route.ts";
import { dashboardOf } from "../test-mode.ts";

export interface ModeProps {
  readonly provider: DashboardProvider;
  /** Whose screens are shown. */
  readonly merchant: string | undefined;
}

/** Above every screen of test mode; the page's colours are others as well (dashboard.css). Nothing in live mode. */
export function Mode({ provider: { mode, counterpart }, merchant }: ModeProps) {
  useEffect(() => {
    document.documentElement.dataset.mode = mode;
  }, [mode]);
  if (mode === "live") return null;
  return (
    <aside class="mode" aria-label="Test mode">
      <p>
        <strong>Test mode: play money.</strong> Nothing here is real, and nothing of it is in your live books.
      </p>
      {counterpart === null ? null : (
        <a href={dashboardOf(counterpart, merchant === undefined ? "#/" : linkTo(merchant, "revenue"))}>
          Back to live
        </a>
      )}
    </aside>
  );
}
