/**
 * Between a page and the background: DOM events on one side, `runtime.sendMessage` on the other. It decides nothing;
 * who the page is, the background reads off the message's sender.
 */
import {
  ANNOUNCE_WALLET_EVENT,
  type Announcement,
  MAX_MESSAGE_LENGTH,
  PROTOCOL_VERSION,
  REQUEST_EVENT,
  REQUEST_WALLET_EVENT,
  RESPONSE_EVENT,
  type RelayedMessage,
  type TipJarMessage,
} from "../../shared/protocol/page.ts";
import { extension } from "./extension.ts";

/** A click stands behind one payment, and only for so long: a slow site's own answer (402) comes in between. */
const CLICK_LIFETIME_MS = 15_000;
/** Requests of one frame that wait for their answers; more are dropped unread. */
const MAX_WAITING = 32;
/** The background may die and start again this often while a reader makes up their mind. */
const MAX_SENDS = 20;
const RESEND_PAUSE_MS = 100;

export interface Bridge {
  /** When a trusted click was made that no payment has used up yet (milliseconds, `performance.now`). */
  clickedAt: number;
}

/**
 * The same bridge for both content scripts of a frame, whichever comes first. A symbol, because an element's id
 * becomes a property of `window` even in the extension's own world.
 */
const BRIDGE = Symbol.for("tuppence");
declare global {
  interface Window {
    [BRIDGE]?: Bridge;
  }
}

export function startBridge(): Bridge {
  window[BRIDGE] ??= listen();
  return window[BRIDGE];
}

function listen(): Bridge {
  const bridge: Bridge = { clickedAt: Number.NEGATIVE_INFINITY };
  let waiting = 0;

  document.addEventListener(REQUEST_WALLET_EVENT, announce);

  document.addEventListener(REQUEST_EVENT, async (event) => {
    const message: unknown = event instanceof CustomEvent ? event.detail : undefined;
    if (typeof message !== "string" || message.length > MAX_MESSAGE_LENGTH || waiting >= MAX_WAITING) return;
    const clicked = performance.now() - bridge.clickedAt < CLICK_LIFETIME_MS;
    if (clicked && usesUpClick(message)) bridge.clickedAt = Number.NEGATIVE_INFINITY;
    waiting += 1;
    const answer = await send({ kind: "page", message, clicked });
    waiting -= 1;
    if (typeof answer === "string") tellPage(RESPONSE_EVENT, answer);
  });

  return bridge;
}

/** Unasked, too: a script that came after the page had asked says that somebody listens now. */
export function announce(): void {
  const { version } = extension.runtime.getManifest();
  const announcement: Announcement = { v: PROTOCOL_VERSION, name: "Tuppence", version };
  tellPage(ANNOUNCE_WALLET_EVENT, JSON.stringify(announcement));
}

/** Resolves with the background's answer. The same message goes again where it died: it attaches to what is under way. */
export async function send(message: RelayedMessage | TipJarMessage): Promise<unknown> {
  // What a page asks before anyone looks at it waits until someone does.
  if ("prerendering" in document && document.prerendering)
    await new Promise((resolve) => document.addEventListener("prerenderingchange", resolve, { once: true }));
  for (let sends = 0; sends < MAX_SENDS; sends += 1) {
    try {
      const answer = await extension.runtime.sendMessage(message);
      if (answer !== undefined) return answer;
    } catch {
      // Without an id the extension itself was updated or removed, and there is nobody to ask.
      if (!extension.runtime?.id) return null;
    }
    await new Promise((resolve) => setTimeout(resolve, RESEND_PAUSE_MS * sends));
  }
  return null;
}

function usesUpClick(message: string): boolean {
  try {
    const { type } = JSON.parse(message);
    return type === "pay" || type === "tip";
  } catch {
    return false;
  }
}

function tellPage(event: string, detail: string): void {
  document.dispatchEvent(new CustomEvent(event, { detail }));
}
