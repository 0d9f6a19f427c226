/** The dashboard as its owner uses it, in a real browser with an authenticator that says yes. */
import type { Page } from "@playwright/test";
import { expect } from "./extension.ts";
import type { RunningProvider } from "./provider.ts";

/** A device that makes and keeps passkeys, and that its owner unlocks each time. Given to a page, for as long as it is open. */
export async function addAuthenticator(page: Page): Promise<{ readonly forget: () => Promise<void> }> {
  // No passkey is made in a tab that nobody looks at.
  await page.bringToFront();
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    forget: () => session.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId }).then(() => {}),
  };
}

/** Ends on the screen that asks for the first merchant. The answer are the recovery codes. */
export async function signUp(
  page: Page,
  provider: Pick<RunningProvider, "accountsOrigin">,
): Promise<string[]> {
  await page.goto(`${provider.accountsOrigin}/dashboard/`);
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.getByLabel("Your name").fill("Ada Owner");
  await page.getByRole("button", { name: "Make a passkey" }).click();
  const codes = ((await page.getByRole("region", { name: "Recovery codes" }).textContent()) ?? "")
    .trim()
    .split(/\s+/);
  await page.getByLabel("I have kept them in a safe place").check();
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(page.getByRole("heading", { name: "What is your site called?" })).toBeVisible();
  return codes;
}

/** From the screen that asks for it; ends on the merchant's sites. */
export async function makeMerchant(page: Page, name: string): Promise<string> {
  await page.getByLabel("Name", { exact: true }).fill(name);
  const id = await page.getByLabel("Id", { exact: true }).inputValue();
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(page.getByRole("heading", { name: "Sites", level: 1 })).toBeVisible();
  return id;
}

/** The word that this site has to show. Ends with the site in the list, not proven. */
export async function addSite(page: Page, origin: string): Promise<string> {
  await page.getByLabel("Address of your site").fill(origin);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  return ((await page.getByRole("region", { name: "Line of the file" }).textContent()) ?? "").trim();
}

export function openScreen(page: Page, name: string): Promise<void> {
  return page.getByRole("link", { name, exact: true }).click();
}
