/** Whom the page of a tab names to be tipped, read from its document without touching the page's own world. */
import * as v from "valibot";
import { TIP_ATTRIBUTES } from "../../shared/offer.ts";
import { MAX_TEXT_LENGTH, url } from "../../shared/protocol/fields.ts";
import { TIP_JAR_SELECTOR } from "../../shared/protocol/page.ts";
import { findTipJar, type TipJar } from "../../shared/tip-jar.ts";
import type { PageSender, Wallet } from "../../wallet/core/index.ts";
import { readInTab, type Tab } from "../platform.ts";
import { readTab } from "./sender.ts";

/** Beyond this nobody looks for the merchant in a page that is full of them. */
const MAX_NAMES = 100;

/** Of an attribute or an address that is longer than any of ours nothing is left, so that it names nobody. */
const word = v.fallback(v.nullable(v.pipe(v.string(), v.maxLength(300))), null);

const TipsInPage = v.object({
  /** Not the tab's address: a sandboxed page has that too. */
  origin: v.string(),
  url,
  title: v.pipe(
    v.string(),
    v.transform((title) => title.slice(0, MAX_TEXT_LENGTH)),
  ),
  elements: v.pipe(v.array(v.object(v.entriesFromList(TIP_ATTRIBUTES, word))), v.maxLength(MAX_NAMES)),
  links: v.pipe(v.array(v.fallback(v.pipe(v.string(), v.maxLength(300)), "")), v.maxLength(MAX_NAMES)),
});

export interface FoundTip {
  readonly tip: TipJar;
  readonly sender: PageSender;
}

/** Undefined where the page names no merchant of the reader's provider, or the browser lets nobody read the page. */
export async function findTip(
  wallet: Pick<Wallet, "provider">,
  tab: Tab | undefined,
): Promise<FoundTip | undefined> {
  return findTipAt(await wallet.provider(), tab);
}

/** The same of the provider of the other mode, for the wallet to say why it cannot be paid. */
export async function findTipOfOtherMode(
  wallet: Pick<Wallet, "provider">,
  tab: Tab | undefined,
): Promise<FoundTip | undefined> {
  const { counterpart, currency = "" } = (await wallet.provider()) ?? {};
  return findTipAt(counterpart === undefined ? undefined : { origin: counterpart, currency }, tab);
}

async function findTipAt(
  provider: { readonly origin: string; readonly currency: string } | undefined,
  tab: Tab | undefined,
): Promise<FoundTip | undefined> {
  // Pages of the browser's own, and files, have nothing to tip and are not to be read.
  if (provider === undefined || tab === undefined || !v.is(url, tab.url)) return undefined;
  const words = [TIP_JAR_SELECTOR, String(MAX_NAMES), ...TIP_ATTRIBUTES];
  const read = v.safeParse(TipsInPage, await readInTab(tab.id, readNames, words).catch(() => undefined));
  if (!read.success) return undefined;
  const { origin, title, elements, links } = read.output;
  const place = { resource: withoutFragment(read.output.url), title };
  const tip = findTipJar({ elements, links }, provider, place);
  return tip && { tip, sender: readTab({ ...tab, url: read.output.url }, origin) };
}

/** The background has none: `readNames` runs elsewhere. */
declare const document: {
  readonly title: unknown;
  querySelectorAll(selector: string): Iterable<{
    readonly localName: string;
    readonly href?: unknown;
    getAttribute(name: string): string | null;
  }>;
};

/** Runs in the page's tab, so it uses nothing from outside of itself. */
function readNames([selector = "", most, ...attributes]: readonly string[]): unknown {
  const elements = [];
  const links = [];
  for (const found of [...document.querySelectorAll(selector)].slice(0, Number(most))) {
    if (found.localName === "link") links.push(found.href);
    else elements.push(Object.fromEntries(attributes.map((name) => [name, found.getAttribute(name)])));
  }
  return { origin: self.origin, url: location.href, title: document.title, elements, links };
}

function withoutFragment(address: string): string {
  const { href, hash } = new URL(address);
  return href.slice(0, href.length - hash.length);
}
