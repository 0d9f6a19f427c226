/** How long a reader waits, taken inside the page: from the click's own time stamp to the article in the document. */
import type { Page } from "@playwright/test";

/** To be called before the click; the result is to be awaited after it. Milliseconds. */
export async function timeToArticle(page: Page): Promise<() => Promise<number>> {
  const handle = await page.evaluateHandle(() => {
    const measured = Promise.withResolvers<number>();
    const onClick = (click: MouseEvent) => {
      const paywall = click
        .composedPath()
        .find((target) => target instanceof Element && target.localName === "tuppence-paywall");
      if (!(paywall instanceof Element)) return;
      removeEventListener("click", onClick, true);
      new MutationObserver((_, observer) => {
        if (paywall.getAttribute("state") !== "open") return;
        observer.disconnect();
        measured.resolve(performance.now() - click.timeStamp);
      }).observe(paywall, { attributes: true, attributeFilter: ["state"] });
    };
    addEventListener("click", onClick, true);
    return { measured: measured.promise };
  });
  return () => handle.evaluate(({ measured }) => measured);
}
