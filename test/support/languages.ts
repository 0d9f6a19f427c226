/**
 * A reader of any language: walks through the wallet by what its messages say in it, so that each page can be looked at in
 * every state that a few minutes of use bring about.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, type Page } from "@playwright/test";
import { readStories } from "../../demo/stories.ts";
import english from "../../extension/_locales/en/messages.json" with { type: "json" };
import { APPROVE_PAGE, OPTIONS_PAGE } from "../../shared/protocol/ui.ts";
import type { Extension } from "./extension.ts";
import { type Fault, type FaultProxy, startProviderBehindProxy } from "./fault-proxy.ts";
import { expectArticleOpen, paywallButton, readSnapshot } from "./reader.ts";
import { SANDBOX_ENVIRONMENT, startWorld, type World } from "./world.ts";

type Key = keyof typeof english;
/** The message in the language of the walk; its values stand in it in braces. */
export type Say = (key: Key) => string;

/** What the built extension says in a language. */
export function sayings(extensionFolder: string, language: string): Say {
  const file = path.join(extensionFolder, "_locales", language, "messages.json");
  const messages: Readonly<Record<string, { readonly message: string }>> = JSON.parse(
    readFileSync(file, "utf8"),
  );
  return (key) => {
    const message = messages[key]?.message;
    if (message === undefined) throw new Error(`no ${key} in ${language}`);
    return message;
  };
}

export interface WalkedWorld extends World {
  readonly proxy: FaultProxy;
}

/** One whose provider fails when the walk wants it to. */
export async function startWalkedWorld(): Promise<WalkedWorld> {
  const { provider, proxy } = await startProviderBehindProxy({ environment: SANDBOX_ENVIRONMENT });
  return { ...(await startWorld({ provider })), proxy };
}

/**
 * Calls `look` with every page in turn, and with what it shows. The wallet is empty at the start, used, locked, removed and
 * brought back at the end.
 */
export async function walkThrough(
  extension: Extension,
  world: WalkedWorld,
  say: Say,
  look: (page: Page, state: string) => Promise<void>,
): Promise<void> {
  const { newspaper, provider, proxy } = world;
  const [first, second] = (await readStories()).filter(({ served }) => !served);
  const addressOf = (story: typeof first) => `${newspaper.origin}/articles/${story?.slug}.html`;

  const welcome = await extension.welcomePage();
  await welcome.getByRole("button", { name: say("welcome_create_action"), exact: true }).waitFor();
  await look(welcome, "welcome: a new wallet");
  await press(welcome, "welcome_restore_instead");
  await welcome.locator("#phrase").fill("legal winner");
  await look(welcome, "welcome: a phrase");
  await press(welcome, "welcome_create_instead");
  await welcome.locator("summary").click();
  await welcome.locator("#provider").fill("provider");
  await look(welcome, "welcome: no address");
  await welcome.locator("#provider").fill(provider.origin);
  await press(welcome, "welcome_create_action");
  await expect(welcome.locator(".words")).toBeVisible();
  await look(welcome, "welcome: the hidden words");
  await press(welcome, "welcome_phrase_show");
  const words = welcome.locator(".word-text");
  await expect(words.first()).not.toHaveText("••••••");
  const phrase = (await words.allTextContents()).join(" ");
  await look(welcome, "welcome: the words");
  await press(welcome, "welcome_phrase_written");
  for (const field of await welcome.locator(".asked-words input").all()) await field.fill("zoo");
  await press(welcome, "welcome_check_action");
  await expect(welcome.getByText(say("welcome_check_wrong")).first()).toBeVisible();
  await look(welcome, "welcome: other words than those on paper");
  await press(welcome, "welcome_check_back");
  await press(welcome, "welcome_phrase_later");
  await expect(welcome.locator(".pin")).toBeVisible();
  await look(welcome, "welcome: ready");

  const popup = await extension.openPopup();
  await expect(popup.locator("#balance")).toBeVisible();
  await look(popup, "popup: nothing in it");
  const page = await extension.context.newPage();
  await page.goto(addressOf(first));
  await paywallButton(page).click();
  const question = await extension.waitForApproval();
  await expect(question.getByText(say("approve_short_title"))).toBeVisible();
  await look(question, "approval: not enough money");
  await expect(popup.getByText(say("popup_asks_title"))).toBeVisible();
  await look(popup, "popup: a question");

  await press(popup, "shared_top_up");
  await expect(popup.locator(".amounts")).toBeVisible();
  await look(popup, "popup: the amounts");
  proxy.setDown(true);
  await popup.locator(".amount").first().click();
  await expect(popup.getByRole("alert")).toBeVisible();
  await look(popup, "popup: no payment page");
  proxy.setDown(false);
  const opened = extension.context.waitForEvent("page");
  await popup.locator(".amount").first().click();
  const checkout = await opened;
  await expect(popup.getByText(say("shared_top_up_open_title"))).toBeVisible();
  await look(popup, "popup: waiting for the payment page");
  // The provider's own page, which is in its language.
  await checkout.getByRole("button", { name: /^Approve/ }).click();
  await expect(popup.getByText(say("shared_top_up_open_title"))).toBeHidden();
  await checkout.close();
  await look(popup, "popup: money arrived");

  await question.bringToFront();
  await expect(question.locator("button[type=submit]")).toBeEnabled();
  await look(question, "approval: an article");
  await question.locator("#allow").check();
  const closed = question.waitForEvent("close");
  await question.locator("button[type=submit]").click();
  await closed;
  await expectArticleOpen(page);
  await expect(popup.locator(".row.allowance")).toBeVisible();
  await look(popup, "popup: paid");

  await page.goto(`${newspaper.origin}/about.html`);
  await page.locator("tuppence-tip").getByRole("button").click();
  const tip = await extension.waitForApproval();
  await expect(tip.locator("button[type=submit]")).toBeEnabled();
  await look(tip, "approval: a tip");
  await tip.locator("#own-amount").fill("0");
  await look(tip, "approval: no amount");
  await tip.locator("#own-amount").fill("4000");
  await look(tip, "approval: too much");
  await tip.close();

  await extension.ask({ kind: "ui", type: "setMonthlyLimit", limit: "10000" });
  await page.goto(addressOf(second));
  await paywallButton(page).click();
  const beyond = await extension.waitForApproval();
  await expect(beyond.locator("#beyond")).toBeVisible();
  await look(beyond, "approval: beyond the month's limit");
  await extension.ask({ kind: "ui", type: "setPaused", paused: true });
  await expect(beyond.getByText(say("approve_paused"))).toBeVisible();
  await look(beyond, "approval: paused");
  await expect(popup.getByText(say("popup_paused"))).toBeVisible();
  await look(popup, "popup: paused");
  await extension.ask({ kind: "ui", type: "setPaused", paused: false });
  await beyond.bringToFront();
  await beyond.locator("#beyond").check();
  proxy.plan("/x402/settle", REFUSED);
  await beyond.locator("button[type=submit]").click();
  await expect(beyond.getByRole("alert")).toBeVisible();
  await look(beyond, "approval: not paid");
  await beyond.close();
  proxy.setDown(true);
  await popup.locator(".row-end button").click();
  await expect(popup.getByRole("alert")).toBeVisible();
  await look(popup, "popup: no money back");
  proxy.setDown(false);

  const options = await extension.context.newPage();
  for (const section of ["spending", "budgets", "backup", "privacy", "safety"]) {
    await options.goto(`${extension.url(OPTIONS_PAGE)}#/${section}`);
    await expect(options.locator(`.options-link[aria-current="page"][href$="${section}"]`)).toBeVisible();
    await expect(options.getByRole("heading", { level: 1 })).toBeVisible();
    await look(options, `options: ${section}`);
  }
  const { payments } = await readSnapshot(extension);
  for (const { id, state } of payments) {
    await options.goto(`${extension.url(OPTIONS_PAGE)}#/spending/payment/${id}`);
    await expect(options.locator(`.detail-said[data-state="${state}"]`)).toBeVisible();
    await look(options, `options: a payment, ${state}`);
  }
  for (const [address, title] of [
    [`id=${"0".repeat(32)}`, "approve_gone_title"],
    ["problem=nothing_to_tip", "error_nothing_to_tip_title"],
  ] as const) {
    const over = await extension.context.newPage();
    await over.goto(`${extension.url(APPROVE_PAGE)}?${address}`);
    await expect(over.getByRole("heading", { name: say(title) })).toBeVisible();
    await look(over, `approval: ${title}`);
    await over.close();
  }

  await options.goto(`${extension.url(OPTIONS_PAGE)}#/safety`);
  await press(options, "safety_set");
  const fields = options.locator("input[type=password]");
  await fields.first().fill(PASSPHRASE);
  await fields.last().fill("another");
  await expect(options.getByText(say("safety_problem_different"))).toBeVisible();
  await look(options, "options: two passphrases");
  await fields.last().fill(PASSPHRASE);
  await press(options, "safety_save");
  await press(options, "safety_lock_now");
  await expect(options.getByText(say("unlock_title"))).toBeVisible();
  await look(options, "options: locked");
  await popup.locator("input[type=password]").fill("another");
  await press(popup, "unlock_action");
  await expect(popup.getByRole("alert")).toBeVisible();
  await popup.locator("summary").click();
  await look(popup, "popup: another passphrase");
  await popup.locator("#has-phrase").check();
  await press(popup, "unlock_lost_action");
  await expect(popup.getByText(say("popup_none_title"))).toBeVisible();
  await look(popup, "popup: no wallet");

  await press(welcome, "welcome_restore_instead");
  await welcome.locator("#phrase").fill(phrase);
  await welcome.locator("summary").click();
  await welcome.locator("#provider").fill(provider.origin);
  const reading = proxy.plan("/accounts/me/backup", { kind: "held" });
  await press(welcome, "welcome_restore_action");
  await expect(welcome.getByText(say("shared_restoring_title"))).toBeVisible();
  await look(welcome, "welcome: restoring");
  await expect(popup.getByText(say("shared_restoring_title"))).toBeVisible();
  await look(popup, "popup: restoring");
  await reading.met;
  reading.release();

  function press(at: Page, key: Key): Promise<void> {
    return at.getByRole("button", { name: say(key), exact: true }).click();
  }
}

const PASSPHRASE = "correct horse battery staple";
/** What a provider says that does not take a payment. */
const REFUSED: Fault = {
  kind: "answered by another",
  status: 200,
  type: "application/json",
  body: JSON.stringify({
    success: false,
    errorReason: "origin_not_verified",
    transaction: "",
    network: "tuppence:play",
  }),
};
