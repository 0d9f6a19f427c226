/**
 * Tells the background when something in the page may name a merchant, or does so no more, so that the toolbar's icon can say
 * it. It only reads: no event, no attribute, no request, and nothing is sent from a page that names nobody.
 *
 * A page changes all the time, so the observer is taken away at the first change and set again after a look. The pause before
 * a look doubles while the page changes by itself, and is short again after a click of the reader's: so a page that
 * never stops costs next to nothing, and cannot measure the look by having it repeated.
 */
import { TIP_JAR_SELECTOR } from "../../shared/protocol/page.ts";
import { send } from "./bridge.ts";

const FIRST_PAUSE_MS = 500;
/** So many names tell one state of a page from another. */
const MAX_NAMES = 20;

export interface TipJarWatch {
  /** The reader clicked: what they see changes now. */
  hurry(): void;
}

export function watchTipJars(): TipJarWatch {
  let told = "";
  let pauseMs = FIRST_PAUSE_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const look = () => {
    timer = undefined;
    const names = namesInPage();
    if (names !== told) {
      told = names;
      void send({ kind: "tip-jar" });
    }
    observer.observe(document, {
      childList: true,
      subtree: true,
      attributeFilter: ["rel", "href", "merchant", "provider"],
    });
  };
  const lookSoon = () => {
    timer = setTimeout(look, pauseMs);
    pauseMs *= 2;
  };
  const observer = new MutationObserver(() => {
    observer.disconnect();
    lookSoon();
  });

  document.addEventListener("DOMContentLoaded", look);
  // Back from the browser's cache the page is as it was, and the toolbar's icon is not.
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    told = "";
    clearTimeout(timer);
    look();
  });
  return {
    hurry() {
      pauseMs = FIRST_PAUSE_MS;
      if (timer === undefined) return;
      clearTimeout(timer);
      lookSoon();
    },
  };
}

/** Empty where nobody is named. */
function namesInPage(): string {
  // Not as `document`'s own property: a form that is named like it hides that.
  return [...Document.prototype.querySelectorAll.call(document, TIP_JAR_SELECTOR)]
    .slice(0, MAX_NAMES)
    .map((element) => `${["provider", "merchant", "href"].map((name) => element.getAttribute(name))}\n`)
    .join("");
}
