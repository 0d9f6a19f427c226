/** Nothing that a reader may be about to click on, or is reading, moves away (Layout Instability API). */
import type { Page } from "@playwright/test";

/** What has changed its place since the page was opened, by the name of its class. In Chromium only. */
export function movedIn(page: Page): Promise<string[]> {
  return page.evaluate(
    () =>
      new Promise<string[]>((resolve) => {
        const observer = new PerformanceObserver((list) => {
          const shifts = list.getEntries() as (PerformanceEntry & { sources: { node: Node | null }[] })[];
          resolve(
            shifts.flatMap(({ sources }) =>
              sources.map(({ node }) => (node instanceof Element ? node.className : String(node))),
            ),
          );
        });
        observer.observe({ type: "layout-shift", buffered: true });
        // Nobody is told where nothing moved; what did is told before the second frame from here.
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve([]))));
      }),
  );
}
