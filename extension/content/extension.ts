/**
 * The few calls that a content script makes, without a polyfill: manifest version 3 has promises in both browsers.
 * Read once, before the page has elements, because one with the id `browser` would hide the real one.
 */
interface ContentExtension {
  readonly runtime: {
    /** Gone once the extension was updated or removed under a page that is still open. */
    readonly id?: string;
    getManifest(): { readonly version: string };
    sendMessage(message: object): Promise<unknown>;
  };
  readonly extension?: { readonly inIncognitoContext?: boolean };
}

declare const browser: ContentExtension | undefined;
declare const chrome: ContentExtension;

export const extension: ContentExtension = typeof browser === "undefined" ? chrome : browser;
