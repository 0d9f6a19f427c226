/** What axe finds in a page of the real extension, under its real Content-Security-Policy. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";

const AXE = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

export async function violations(page: Page): Promise<string[]> {
  // What is still fading in has not its colours yet. What began to move before goes to its end; what moves after that still does.
  await page.evaluate(() => {
    for (const animation of document.getAnimations())
      if (animation.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY) animation.finish();
  });
  await page.emulateMedia({ reducedMotion: "reduce" });
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    const found = await axe.run();
    return found.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target }) => `${id}: ${target.join(" ")}`),
    );
  });
}

/** What moves, or will: every animation and transition of the page that takes any time. */
export async function movingParts(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    document
      .getAnimations()
      .filter(({ effect, playState }) => playState === "running" && Number(effect?.getTiming().duration) > 0)
      .map(({ effect }) => (effect instanceof KeyframeEffect ? effect.target : null))
      .map((target) => (target ? `${target.tagName.toLowerCase()}.${target.className}` : "?")),
  );
}

/** By what a screen reader finds its way: one main part, one title, no step left out between headings, a voice for what changes. */
export async function structureFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const faults: string[] = [];
    const count = (selector: string) => document.querySelectorAll(selector).length;
    if (count("main, [role=main]") !== 1) faults.push("not one main part");
    if (count("h1") !== 1) faults.push(`${count("h1")} titles`);
    const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map(({ tagName }) => Number(tagName[1]));
    if (levels.some((level, index) => level > (levels[index - 1] ?? 0) + 1))
      faults.push(`headings ${levels}`);
    // Of a wallet that is locked, or is none, nothing changes but what the reader does.
    const isAtRest = count(".unlock, .empty > h1") > 0 || location.pathname.includes("/welcome/");
    if (count("[role=status], [role=alert], [aria-live]") === 0 && !isAtRest) faults.push("no live region");
    return faults;
  });
}

/** Every control that Tab does not reach, or on which nobody sees that it did. */
export async function keyboardFaults(page: Page): Promise<string[]> {
  const controls = await page.evaluate(() => {
    const all = [...document.querySelectorAll("button, input, select, textarea, summary, a[href]")];
    const usable = all.filter((control) => control.checkVisibility() && !control.matches(":disabled"));
    for (const control of usable) control.setAttribute("data-not-reached", "");
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    return usable.length;
  });
  const faults = new Set<string>();
  // Once round, and past the window's own parts.
  for (let tabs = 0; tabs < 2 * controls + 5; tabs += 1) {
    await page.keyboard.press("Tab");
    const fault = await page.evaluate(() => {
      const at = document.activeElement;
      if (at === null || at === document.body) return null;
      at.removeAttribute("data-not-reached");
      const { outlineStyle, outlineWidth } = getComputedStyle(at);
      const isSeen = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
      return isSeen ? null : `no ring on ${at.tagName.toLowerCase()}.${at.className}`;
    });
    if (fault !== null) faults.add(fault);
  }
  const missed = await page.evaluate(() =>
    [...document.querySelectorAll("[data-not-reached]")].map((control) => {
      control.removeAttribute("data-not-reached");
      return `Tab does not reach ${control.tagName.toLowerCase()}.${control.className} ${control.textContent}`;
    }),
  );
  return [...faults, ...missed];
}
