/**
 * As ../unlinkable.spec.ts, in Firefox, whose requests would carry an id of the installation: two readers pay, one of them
 * comes back by the recovery phrase and pays again, and nothing proves whose payment it was. Without the rule that takes the
 * marks off, both are known; of a wallet that asks about withdraws where it pays, who came back is.
 */
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UiResults } from "../../../shared/protocol/ui.ts";
import type { Evidence } from "../../attacker/evidence.ts";
import { proofsIn, startTappedProvider, type TappedProvider } from "../../attacker/tapped.ts";
import {
  ARTICLES,
  LATER,
  LEFT,
  marksLeftOn,
  publishArticles,
  WAYS_BACK,
} from "../../attacker/two-readers.ts";
import { type FirefoxExtension, launchFirefox } from "../../support/firefox.ts";
import {
  askWallet,
  restoreWallet,
  setUpWallet,
  snapshotOf,
  topUp,
  waitFor,
} from "../../support/firefox-reader.ts";
import { type MerchantSite, startMerchantSite } from "../../support/merchant.ts";
import { fileHolding, type Mutation, mutateExtension } from "../../support/mutated-extension.ts";
import { isThorough } from "../../support/thorough.ts";

const LANGUAGES = ["de-DE", "ja-JP"];

/** Three browsers after each other, one of which waits. */
const TIMEOUT_MS = 300_000;

/** Stands in a script that the background loads. */
const RULES = "updateSessionRules(";
const HURRY = 40;

/** What a restored wallet waits for is meant to be long. That hides when it does something, which proves nothing here. */
function hurried(): Mutation {
  const file = fileHolding("firefox", RULES);
  const shorter = `const before = setTimeout;
    globalThis.setTimeout = (ring, milliseconds = 0) => before(ring, milliseconds / ${HURRY});`;
  return { file, change: (source) => `${source}\n${shorter}` };
}

function originLeftOn(): Mutation {
  const file = fileHolding("firefox", RULES);
  return { file, change: (source) => source.replace(/(header:\s*["'`])origin(["'`])/, "$1x-origin$2") };
}

describe("in Firefox", { timeout: TIMEOUT_MS }, () => {
  let provider: TappedProvider;
  let site: MerchantSite;
  let published: string[];
  beforeAll(async () => {
    provider = await startTappedProvider();
    site = await startMerchantSite(provider);
    published = await publishArticles(site);
  });
  afterAll(async () => {
    await site?.close();
    await provider?.close();
  });

  it("two readers pay, one comes back by the phrase, and nothing that the provider receives proves whose payment it was", async () => {
    await comeBack(await payAsTwo(), [hurried()]);
    const evidence = look(LANGUAGES.length + 1);
    expect(proofsIn(evidence)).toEqual({});
    expect(evidence.payments.flatMap(marksLeftOn)).toEqual([]);
    // They do differ: at the checkout each said its languages.
    const told = JSON.stringify(evidence.record.exchanges.map(({ headers }) => headers));
    for (const language of LANGUAGES) expect(told).toContain(language);
  });

  if (isThorough) {
    it("with Origin left on its requests both are known by their installation", async () => {
      await payAsTwo([originLeftOn()]);
      expect(proofsIn(look(LANGUAGES.length))).toMatchObject({ headers: [0, 1] });
    });

    it.each(WAYS_BACK)("without a backup $what", async ({ mistakes, proofs }) => {
      const mutations = mistakes.map((mistake) => mistake("firefox"));
      await comeBack(await payAsTwo(), [hurried(), ...mutations]);
      expect(proofsIn(look(LANGUAGES.length + 1))).toEqual(proofs);
    });
  }

  /** Answers the recovery phrase of the second. */
  async function payAsTwo(mutations: readonly Mutation[] = []): Promise<string> {
    provider.look([]);
    let phrase = "";
    for (const [index, language] of LANGUAGES.entries())
      phrase = await inFirefox(language, mutations, async (firefox) => {
        await setUpWallet(firefox, provider);
        await topUp(firefox, provider);
        await askWallet(firefox, { kind: "ui", type: "saveBackup" });
        await pay(firefox, ARTICLES[index] ?? "");
        const shown = await askWallet(firefox, { kind: "ui", type: "showPhrase" });
        return v.parse(UiResults.showPhrase, shown).phrase;
      });
    return phrase;
  }

  /** The second of the two, whose backup knows nothing of the payment: it is searched for. */
  async function comeBack(phrase: string, mutations: readonly Mutation[]): Promise<void> {
    await inFirefox(LANGUAGES.at(-1) ?? "", mutations, async (firefox) => {
      await restoreWallet(firefox, provider, phrase);
      await waitFor(async () => {
        const { restore, balance } = await snapshotOf(firefox);
        return restore === null && balance.coins === LEFT;
      });
      await pay(firefox, LATER);
    });
  }

  function look(payments: number): Evidence {
    const evidence = provider.look(published);
    expect(evidence.accounts).toHaveLength(LANGUAGES.length);
    expect(evidence.payments).toHaveLength(payments);
    return evidence;
  }

  async function inFirefox<T>(
    language: string,
    mutations: readonly Mutation[],
    live: (firefox: FirefoxExtension) => Promise<T>,
  ): Promise<T> {
    const mutated = mutations.length > 0 ? mutateExtension("firefox", mutations) : undefined;
    try {
      const firefox = await launchFirefox({
        preferences: { "intl.accept_languages": language },
        ...(mutated ? { extensionFolder: mutated.folder } : {}),
      });
      try {
        return await live(firefox);
      } finally {
        await firefox.close();
      }
    } finally {
      mutated?.remove();
    }
  }

  async function pay(firefox: FirefoxExtension, path: string): Promise<void> {
    const page = await firefox.browser.newPage();
    await page.goto(site.addressOf(path));
    await page.locator("tuppence-paywall >>> button").click();
    const question = await firefox.waitForApproval();
    await question.locator("button[type=submit]:not([disabled])").click();
    await page.waitForSelector("tuppence-paywall[state=open]");
  }
});
