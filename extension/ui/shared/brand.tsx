import { Mark } from "./mark.tsx";

/** The line at the top of every screen. The badge never lets play money pass for money. */
export function Brand({ playMoney }: { readonly playMoney: boolean }) {
  return (
    <div class="brand">
      <Mark />
      <span class="brand-name">Tuppence</span>
      {playMoney ? (
        <span class="badge" title="This provider is for trying things out: no real money moves.">
          Play money
        </span>
      ) : null}
    </div>
  );
}
