/** What a site includes: `<tuppence-paywall>` and `<tuppence-tip>`. One file, no request of its own but a `src`. */
import { TuppencePaywall } from "./paywall.ts";
import { TuppenceTip } from "./tip.ts";

// A single-page application may load the file twice; the first definition stays.
for (const [name, element] of [
  ["tuppence-paywall", TuppencePaywall],
  ["tuppence-tip", TuppenceTip],
] as const) {
  if (!customElements.get(name)) customElements.define(name, element);
}
