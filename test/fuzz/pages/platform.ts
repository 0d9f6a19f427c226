/** Stands in for `extension/platform.ts`, which needs a browser to be loaded at all. */
import { makeFakeBrowser } from "../../support/fake-platform.ts";

export const browser = makeFakeBrowser();
export const {
  extensionId,
  extensionUrl,
  message,
  openTab,
  activeTab,
  readInTab,
  setTabIcon,
  readSession,
  writeSession,
  openWindow,
  focusWindow,
} = browser.platform;
