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

/** Steps of the way into test mode (test-mode.ts), each with its word. No merchant's id begins with a plus. */
const WAYS = ["+enter", "+handover", "+arrive"] as const;
export interface Way {
  readonly step: (typeof WAYS)[number];
  readonly word: string;
}

export interface Route {
  readonly way: Way | undefined;
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
  const step = WAYS.find((name) => name === merchant);
  if (step) return { way: { step, word: screen }, merchant: undefined, screen: FIRST_SCREEN };
  const way = undefined;
  if (merchant === "account") return { way, merchant: undefined, screen: "account" };
  return { way, merchant: merchant || undefined, screen: isScreen(screen) ? screen : FIRST_SCREEN };
}

export function linkTo(merchant: string, screen: Screen): string {
  return `#/${merchant}/${screen}`;
}

export const ACCOUNT_LINK = "#/account";
const FIRST_SCREEN: Screen = "revenue";

function isScreen(text: string): text is Screen {
  return Object.hasOwn(SCREENS, text);
}
