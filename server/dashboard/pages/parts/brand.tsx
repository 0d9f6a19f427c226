import type { DashboardProvider } from "../../../../shared/protocol/dashboard.ts";

/** The line at the top. The badge never lets play money pass for money. */
export function Brand({ provider }: { readonly provider: DashboardProvider | undefined }) {
  return (
    <div class="brand">
      <svg class="mark" width="24" height="24" viewBox="0 0 24 24" fill="none" aria-hidden="true">
        <circle cx="12" cy="12" r="11.3" stroke="currentColor" stroke-width="1" />
        <circle cx="14.7" cy="12" r="4.9" fill="currentColor" opacity="0.45" />
        <circle cx="9.3" cy="12" r="4.9" fill="currentColor" />
      </svg>
      <span class="brand-name">Tuppence for sites</span>
      {provider?.mode === "test" ? (
        <span class="badge">Test mode</span>
      ) : provider?.playMoney ? (
        <span class="badge" title="No money of anybody's is behind what is paid here.">
          Play money
        </span>
      ) : null}
    </div>
  );
}
