/**
 * The light of the toolbar's icon: this page names a merchant of the reader's provider. Nothing is fetched and nothing kept
 * for it; who the merchant is, and whether this is a site of theirs, is asked when the reader wants to tip. The browser
 * itself puts the light out when the tab goes to another page.
 */
import type { TestProvider } from "../../shared/protocol/ui.ts";
import type { Wallet } from "../../wallet/core/index.ts";
import { message, setTabIcon } from "../platform.ts";
import { readFrame } from "./sender.ts";
import { findTip } from "./tip-in-page.ts";

const SIZES_PIXELS = [16, 32, 48];
const LIT = { paths: iconsNamed("lit-"), title: "background_takes_tips" } as const;
const UNLIT = { paths: iconsNamed(""), title: "extension_title" } as const;

/** Looks at the page whose content script asks for it. */
export async function light(
  {
    wallet,
    testProvider,
  }: { readonly wallet: Pick<Wallet, "provider">; readonly testProvider: TestProvider },
  browserSender: unknown,
): Promise<void> {
  const sender = readFrame(browserSender, false);
  if (!sender?.isTopFrame) return;
  const { tabId, url, isPrivate } = sender;
  const found = await findTip(wallet, { id: tabId, url, isPrivate });
  const { paths, title: key } = found ? LIT : UNLIT;
  const title = testProvider === undefined ? message(key) : `${message("test_mode")} – ${message(key)}`;
  // The tab may have been closed meanwhile.
  await setTabIcon(tabId, { paths, title }).catch(() => undefined);
}

function iconsNamed(beginning: string): Record<number, string> {
  return Object.fromEntries(SIZES_PIXELS.map((size) => [size, `extension/icons/${beginning}${size}.png`]));
}
