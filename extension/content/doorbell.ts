/**
 * Runs in every page, and waits for one thing: a trusted click on an element of ours. Until then there is nothing to
 * find: no listener for any event of ours, no element, no global. The bridge starts within the click, before the
 * element hears of it, because a window's capturing listener is the first of all. In the top page it also looks whether
 * somebody can be tipped (`tip-jars.ts`), of which the page learns nothing.
 */
import { ELEMENT_PREFIX } from "../../shared/protocol/page.ts";
import { startBridge } from "./bridge.ts";
import { watchTipJars } from "./tip-jars.ts";

const tipJars = window.top === window ? watchTipJars() : undefined;

addEventListener(
  "click",
  (event) => {
    if (!event.isTrusted) return;
    if (event.composedPath().some(isOurs)) startBridge().clickedAt = performance.now();
    tipJars?.hurry();
  },
  true,
);

function isOurs(target: EventTarget): boolean {
  // A form may carry a field named `localName`, which is then no string.
  return (
    target instanceof Element &&
    typeof target.localName === "string" &&
    target.localName.startsWith(ELEMENT_PREFIX)
  );
}
