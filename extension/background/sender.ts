/** Who sends a message, as the browser says it. What the message says of that counts for nothing. */
import * as v from "valibot";
import { APPROVE_PAGE } from "../../shared/protocol/ui.ts";
import type { PageSender } from "../../wallet/core/index.ts";
import { extensionId, extensionUrl, type Tab } from "../platform.ts";

const TOP_FRAME = 0;

const FrameSender = v.object({
  id: v.string(),
  url: v.string(),
  /** Opaque where the browser does not tell: refused rather than guessed from the address, which a sandbox keeps. */
  origin: v.optional(v.string(), "null"),
  frameId: v.number(),
  /** Chrome only. */
  documentLifecycle: v.optional(v.string()),
  tab: v.object({ id: v.number(), url: v.optional(v.string()), incognito: v.boolean() }),
});

const OwnPage = v.object({ id: v.string(), url: v.string(), origin: v.optional(v.string()) });

/** The frame behind a content script's message; undefined if it is none that may ask. */
export function readFrame(sender: unknown, clicked: boolean): PageSender | undefined {
  const decoded = v.safeParse(FrameSender, sender);
  if (!decoded.success) return undefined;
  const { id, url, origin, frameId, documentLifecycle = "active", tab } = decoded.output;
  if (id !== extensionId() || documentLifecycle !== "active") return undefined;
  const isTopFrame = frameId === TOP_FRAME;
  return {
    origin,
    url,
    topOrigin: isTopFrame ? origin : originOf(tab.url),
    isTopFrame,
    tabId: tab.id,
    isPrivate: tab.incognito,
    clicked,
  };
}

/** True only for a page of this extension: never for a content script, even where the page took it over. */
export function isOwnPage(sender: unknown): boolean {
  const decoded = v.safeParse(OwnPage, sender);
  if (!decoded.success) return false;
  const own = siteOf(extensionUrl(""));
  const { id, url, origin = url } = decoded.output;
  return id === extensionId() && siteOf(url) === own && siteOf(origin) === own;
}

/** True for the page of ours that stands beside a payment, whatever it asks or tells. */
export function isApprovalWindow(sender: unknown): boolean {
  const decoded = v.safeParse(OwnPage, sender);
  return decoded.success && isOwnPage(sender) && new URL(decoded.output.url).pathname === `/${APPROVE_PAGE}`;
}

/** The top page of a tab, for what the reader asks about it in the toolbar. Their press there is the click. */
export function readTab(tab: Tab, origin: string): PageSender {
  return {
    origin,
    url: tab.url,
    topOrigin: origin,
    isTopFrame: true,
    tabId: tab.id,
    isPrivate: tab.isPrivate,
    clicked: true,
  };
}

function originOf(url: string | undefined): string {
  return url !== undefined && URL.canParse(url) ? new URL(url).origin : "null";
}

/** With its scheme: a network may have a site that is named like the extension. (`URL.origin` knows no extensions.) */
function siteOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
