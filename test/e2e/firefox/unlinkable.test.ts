/**
 * As ../unlinkable.spec.ts, in Firefox, whose requests would carry an id of the installation: two readers pay, and nothing
 * proves whose payment it was; without the rule that takes the marks off, both are known.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Evidence } from "../../attacker/evidence.ts";
import { proofsIn, startTappedProvider, type TappedProvider } from "../../attacker/tapped.ts";
import { type FirefoxExtension, launchFirefox } from "../../support/firefox.ts";
import { setUpWallet, topUp } from "../../support/firefox-reader.ts";
import { type MerchantSite, startMerchantSite } from "../../support/merchant.ts";
import { fileHolding, mutateExtension } from "../../support/mutated-extension.ts";
import { isThorough } from "../../support/thorough.ts";

const LANGUAGES = ["de-DE", "ja-JP"];

describe("in Firefox", () => {
  let provider: TappedProvider;
  let site: MerchantSite;
  let published: string;
  beforeAll(async () => {
    provider = await startTappedProvider();
    site = await startMerchantSite(provider);
    const article = { title: "An article", paid: "<p>The paid part.</p>", price: "5¢" };
    published = (await site.publishArticle("/a.html", article)).html;
  });
  afterAll(async () => {
    await site?.close();
    await provider?.close();
  });

  it("two readers pay, and nothing that the provider receives proves whose payment it was", async () => {
    const evidence = await payAsTwo();
    expect(proofsIn(evidence)).toEqual({});
    for (const { settled } of evidence.payments) {
      const names = settled.headers.map(([name]) => name.toLowerCase());
      for (const name of ["origin", "cookie", "referer", "authorization"]) expect(names).not.toContain(name);
    }
  });

  if (isThorough)
    it("with Origin left on its requests both are known by their installation", async () => {
      const mutated = mutateExtension("firefox", [
        {
          file: fileHolding("firefox", "updateSessionRules("),
          change: (source) => source.replace(/(header:\s*["'`])origin(["'`])/, "$1x-origin$2"),
        },
      ]);
      try {
        expect(proofsIn(await payAsTwo(mutated.folder))).toMatchObject({ headers: 2 });
      } finally {
        mutated.remove();
      }
    });

  async function payAsTwo(extensionFolder?: string): Promise<Evidence> {
    provider.look([]);
    for (const language of LANGUAGES) {
      const firefox = await launchFirefox({
        preferences: { "intl.accept_languages": language },
        ...(extensionFolder === undefined ? {} : { extensionFolder }),
      });
      try {
        await live(firefox);
      } finally {
        await firefox.close();
      }
    }
    const evidence = provider.look([published]);
    expect(evidence.accounts).toHaveLength(2);
    expect(evidence.payments).toHaveLength(2);
    return evidence;
  }

  async function live(firefox: FirefoxExtension): Promise<void> {
    await setUpWallet(firefox, provider);
    await topUp(firefox, provider);
    const page = await firefox.browser.newPage();
    await page.goto(site.addressOf("/a.html"));
    await page.locator("tuppence-paywall >>> button").click();
    const question = await firefox.waitForApproval();
    await question.locator("button[type=submit]:not([disabled])").click();
    await page.waitForSelector("tuppence-paywall[state=open]");
  }
});
