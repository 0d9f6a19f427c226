/** The tip jar of the page that the reader looks at, read from its element without touching the page's own world. */
import * as v from "valibot";
import { readTip, TIP_ATTRIBUTES } from "../../shared/offer.ts";
import { MAX_TEXT_LENGTH, url } from "../../shared/protocol/fields.ts";
import type { PageSender } from "../../wallet/core/index.ts";
import { activeTab, readInTab } from "../platform.ts";
import { readTab } from "./sender.ts";

const MAX_ATTRIBUTE_LENGTH = 300;

const TipInPage = v.object({
  /** Not the tab's address: a sandboxed page has that too. */
  origin: v.string(),
  url,
  title: v.pipe(
    v.string(),
    v.transform((title) => title.slice(0, MAX_TEXT_LENGTH)),
  ),
  attributes: v.object(
    v.entriesFromList(TIP_ATTRIBUTES, v.nullable(v.pipe(v.string(), v.maxLength(MAX_ATTRIBUTE_LENGTH)))),
  ),
});

export interface FoundTip {
  /** The payload of a page's `tip` request. */
  readonly tip: { readonly offer: object; readonly least: string; readonly most: string };
  readonly sender: PageSender;
}

/** Undefined where the page has no tip jar, or the browser lets nobody read the page. */
export async function findTip(): Promise<FoundTip | undefined> {
  const tab = await activeTab();
  // Pages of the browser's own, and files, have nothing to tip and are not to be read.
  if (tab === undefined || !v.is(url, tab.url)) return undefined;
  const found = v.safeParse(
    TipInPage,
    await readInTab(tab.id, readTipElement, TIP_ATTRIBUTES).catch(() => undefined),
  );
  if (!found.success) return undefined;
  const { origin, title, attributes } = found.output;
  const tip = readTip((name) => attributes[name], { resource: withoutFragment(found.output.url), title });
  return tip && { tip, sender: readTab({ ...tab, url: found.output.url }, origin) };
}

/** The background has none: `readTipElement` runs elsewhere. */
declare const document: {
  readonly title: unknown;
  querySelector(selector: string): { getAttribute(name: string): string | null } | null;
};

/** Runs in the page's tab, so it uses nothing from outside of itself. */
function readTipElement(attributes: readonly string[]): unknown {
  const element = document.querySelector("tuppence-tip");
  if (element === null) return null;
  return {
    origin: self.origin,
    url: location.href,
    title: document.title,
    attributes: Object.fromEntries(attributes.map((name) => [name, element.getAttribute(name)])),
  };
}

function withoutFragment(address: string): string {
  const { href, hash } = new URL(address);
  return href.slice(0, href.length - hash.length);
}
