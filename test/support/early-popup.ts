/** The popup over a background that is still waking: nobody answers at the other end. */
import type { Page } from "@playwright/test";
import { POPUP_PAGE } from "../../shared/protocol/ui.ts";
import type { Extension } from "./extension.ts";

/** Where it may find the balance as it was last: wherever that is, on the disk only, or nowhere. */
export type Finds = "all" | "disk" | "nothing";

export async function openEarly(
  extension: Extension,
  { finds = "all" }: { readonly finds?: Finds } = {},
): Promise<Page> {
  const page = await extension.context.newPage();
  await page.addInitScript((found) => {
    const listeners = { addListener: () => undefined };
    Object.defineProperty(chrome.runtime, "connect", {
      value: () => ({ onMessage: listeners, onDisconnect: listeners, disconnect: () => undefined }),
    });
    if (found === "all") return;
    Object.defineProperty(chrome.storage.session, "get", {
      value: (_keys: unknown, answered?: (stored: object) => void) => {
        answered?.({});
        return Promise.resolve({});
      },
    });
    if (found === "disk") return;
    Object.defineProperty(IDBFactory.prototype, "open", {
      value: () => {
        throw new Error("nothing lies on this disk");
      },
    });
  }, finds);
  await page.goto(extension.url(POPUP_PAGE));
  return page;
}
