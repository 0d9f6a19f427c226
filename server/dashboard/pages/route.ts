/** Which screen is shown: `#/<merchant>/<screen>`, so that a screen can be linked to and the browser's own buttons work. */
import { useEffect, useState } from "preact/hooks";

export const SCREENS = {
  revenue: "Revenue",
  paste: "Put it on a page",
  sites: "Sites",
  keys: "API keys",
  webhooks: "Webhooks",
  settings: "Settings",
} as const;
export type Screen = keyof typeof SCREENS;

export interface Route {
  readonly merchant: string | undefined;
  /** `account` is no merchant's: passkeys and recovery codes. */
  readonly screen: Screen | "account";
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const [, merchant, screen = ""] = hash.split("/");
  if (merchant === "account") return { merchant: undefined, screen: "account" };
  return { merchant: merchant || undefined, screen: isScreen(screen) ? screen : FIRST_SCREEN };
}

export function linkTo(merchant: string, screen: Screen): string {
  return `#/${merchant}/${screen}`;
}

export const ACCOUNT_LINK = "#/account";
const FIRST_SCREEN: Screen = "revenue";

function isScreen(text: string): text is Screen {
  return Object.hasOwn(SCREENS, text);
}
