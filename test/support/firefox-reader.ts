/** What a reader does with the wallet in Firefox, and what the wallet says then. In Chromium: reader.ts. */
import type { Page } from "puppeteer-core";
import * as v from "valibot";
import { type UiRequestJson, WalletSnapshot } from "../../shared/protocol/ui.ts";
import type { FirefoxExtension } from "./firefox.ts";
import type { RunningProvider } from "./provider.ts";

const TOP_UP = "$5";
const TOPPED_UP = 5_000_000n;
const LOOK_AGAIN_MS = 200;

/** Makes a wallet on the welcome page, and puts the recovery phrase off. */
export async function setUpWallet(firefox: FirefoxExtension, { origin }: RunningProvider): Promise<void> {
  const welcome = await firefox.welcomePage();
  await begin(welcome, origin);
  await welcome.locator("::-p-text(Do this later)").click();
}

export async function restoreWallet(
  firefox: FirefoxExtension,
  { origin }: RunningProvider,
  phrase: string,
): Promise<void> {
  const welcome = await firefox.welcomePage();
  await welcome.locator("::-p-text(I have a recovery phrase)").click();
  await welcome.locator("#phrase").fill(phrase);
  await begin(welcome, origin);
}

async function begin(welcome: Page, providerOrigin: string): Promise<void> {
  await welcome.locator("summary").click();
  await welcome.locator("#provider").fill(providerOrigin);
  await welcome.locator("button[type=submit]").click();
}

/** From the popup to the gateway's page and through it, until all of it lies in the drawer. Answers the popup. */
export async function topUp(firefox: FirefoxExtension, provider: RunningProvider): Promise<Page> {
  const popup = await firefox.openPopup();
  await popup.locator("::-p-aria(Top up)").click();
  await popup.locator(`button[aria-label="Top up ${TOP_UP}"]`).click();
  await approveCheckout(firefox, provider);
  return popup;
}

export async function approveCheckout(firefox: FirefoxExtension, provider: RunningProvider): Promise<void> {
  const checkout = await pageAt(firefox, `${provider.accountsOrigin}/checkout/`);
  await checkout.locator("button[value=approve]").click();
  await waitFor(async () => (await snapshotOf(firefox)).balance.coins === TOPPED_UP);
}

export async function askWallet(firefox: FirefoxExtension, request: UiRequestJson): Promise<unknown> {
  const answer = await firefox.ask(request);
  if (!("ok" in answer)) throw new Error(JSON.stringify(answer));
  return answer.ok;
}

export async function snapshotOf(firefox: FirefoxExtension): Promise<WalletSnapshot> {
  return v.parse(WalletSnapshot, await askWallet(firefox, { kind: "ui", type: "snapshot" }));
}

export async function pageAt({ browser }: FirefoxExtension, address: string): Promise<Page> {
  const target = await browser.waitForTarget((candidate) => candidate.url().startsWith(address));
  const page = await target.page();
  if (!page) throw new Error(`no page at ${address}`);
  return page;
}

export async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
}
