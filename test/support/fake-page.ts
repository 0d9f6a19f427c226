/**
 * What a content script finds in a frame: a document and a window that take listeners, and the extension's `runtime`. No
 * more of a DOM than that; what a real one does is for the tests in a browser (a click that is trusted exists only there).
 */
import { vi } from "vitest";
import {
  ANNOUNCE_WALLET_EVENT,
  REQUEST_EVENT,
  REQUEST_WALLET_EVENT,
  RESPONSE_EVENT,
} from "../../shared/protocol/page.ts";

export interface FakeElement {
  readonly localName: unknown;
}

export interface FakePage {
  /** What the background was sent, in order. */
  readonly sent: unknown[];
  /** How the background answers. */
  answer: (message: unknown) => Promise<unknown>;
  /** Details of the events that the page heard. */
  readonly announced: unknown[];
  readonly responses: unknown[];
  readonly askForWallet: () => void;
  readonly request: (detail: unknown) => void;
  readonly click: (path: readonly FakeElement[], isTrusted?: boolean) => void;
  readonly element: (localName: unknown) => FakeElement;
  readonly prerender: () => void;
  readonly activate: () => void;
  /** The extension was updated or removed under the page. */
  readonly removeExtension: () => void;
}

/** Puts the globals in place; content scripts are imported after it. */
export function openFakePage({ isPrivate = false } = {}): FakePage {
  class Element implements FakeElement {
    readonly localName: unknown;
    constructor(localName: unknown) {
      this.localName = localName;
    }
  }
  const document = Object.assign(new EventTarget(), { prerendering: false });
  const clickListeners: ((event: object) => void)[] = [];
  const runtime: {
    id: string | undefined;
    getManifest: () => object;
    sendMessage: (message: unknown) => Promise<unknown>;
  } = {
    id: "abcdefghijklmnopabcdefghijklmnop",
    getManifest: () => ({ version: "1.2.3" }),
    sendMessage: async (message) => {
      page.sent.push(message);
      return page.answer(message);
    },
  };
  const page: FakePage = {
    sent: [],
    answer: async () => null,
    announced: [],
    responses: [],
    askForWallet: () => void document.dispatchEvent(new Event(REQUEST_WALLET_EVENT)),
    request: (detail) => void document.dispatchEvent(new CustomEvent(REQUEST_EVENT, { detail })),
    click: (path, isTrusted = true) => {
      for (const listener of clickListeners) listener({ isTrusted, composedPath: () => path });
    },
    element: (localName) => new Element(localName),
    prerender: () => {
      document.prerendering = true;
    },
    activate: () => {
      document.prerendering = false;
      document.dispatchEvent(new Event("prerenderingchange"));
    },
    removeExtension: () => {
      runtime.id = undefined;
    },
  };
  const keep = (list: unknown[]) => (event: Event) => {
    if (event instanceof CustomEvent) list.push(event.detail);
  };
  document.addEventListener(ANNOUNCE_WALLET_EVENT, keep(page.announced));
  document.addEventListener(RESPONSE_EVENT, keep(page.responses));
  vi.stubGlobal("document", document);
  vi.stubGlobal("window", {});
  vi.stubGlobal("Element", Element);
  vi.stubGlobal("chrome", { runtime, extension: { inIncognitoContext: isPrivate } });
  vi.stubGlobal("addEventListener", (type: string, listener: (event: object) => void, capture: boolean) => {
    if (type === "click" && capture) clickListeners.push(listener);
  });
  return page;
}
