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
import { expectArticleOpen, paywallButton } from "./reader.ts";
import type { World } from "./world.ts";

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

/** Calls `look` with every page in turn, and with what it shows. The wallet is empty at the start and used at the end. */
export async function walkThrough(
  extension: Extension,
  world: World,
  say: Say,
  look: (page: Page, state: string) => Promise<void>,
): Promise<void> {
  const press = (page: Page, key: Key) => page.getByRole("button", { name: say(key), exact: true }).click();

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
  await welcome.locator("#provider").fill(world.provider.origin);
  await press(welcome, "welcome_create_action");
  await expect(welcome.locator(".words")).toBeVisible();
  await look(welcome, "welcome: the hidden words");
  await press(welcome, "welcome_phrase_show");
  await expect(welcome.locator(".word-text").first()).not.toHaveText("••••••");
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
  await press(popup, "shared_top_up");
  await expect(popup.locator(".amounts")).toBeVisible();
  await look(popup, "popup: the amounts");
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

  const page = await extension.context.newPage();
  await page.goto(`${world.newspaper.origin}/about.html`);
  await page.locator("tuppence-tip").getByRole("button").click();
  const tip = await extension.waitForApproval();
  await expect(tip.locator("button[type=submit]")).toBeEnabled();
  await look(tip, "approval: a tip");
  await tip.locator("#own-amount").fill("0");
  await look(tip, "approval: no amount");
  await tip.locator("#own-amount").fill("4000");
  await look(tip, "approval: too much");
  await tip.close();

  const story = (await readStories()).find(({ served }) => !served);
  await page.goto(`${world.newspaper.origin}/articles/${story?.slug}.html`);
  await paywallButton(page).click();
  const question = await extension.waitForApproval();
  await expect(question.locator("button[type=submit]")).toBeEnabled();
  await look(question, "approval: an article");
  await expect(popup.getByText(say("popup_asks_title"))).toBeVisible();
  await look(popup, "popup: a question");
  await question.locator("#allow").check();
  const closed = question.waitForEvent("close");
  await question.locator("button[type=submit]").click();
  await closed;
  await expectArticleOpen(page);
  await expect(popup.locator(".row.allowance")).toBeVisible();
  await look(popup, "popup: paid");

  const options = await extension.context.newPage();
  for (const section of ["spending", "budgets", "backup", "safety", "privacy"]) {
    await options.goto(`${extension.url(OPTIONS_PAGE)}#/${section}`);
    await expect(options.locator(`.options-link[aria-current="page"][href$="${section}"]`)).toBeVisible();
    await expect(options.getByRole("heading", { level: 1 })).toBeVisible();
    await look(options, `options: ${section}`);
  }

  const gone = await extension.context.newPage();
  await gone.goto(`${extension.url(APPROVE_PAGE)}?id=${"0".repeat(32)}`);
  await expect(gone.getByRole("heading", { name: say("approve_gone_title") })).toBeVisible();
  await look(gone, "approval: over");
}
