/**
 * What the provider receives of two readers in real browsers, attacked as in test/attacker: headers, cookies and connections
 * are those that browsers send. One of them comes back in another browser, by the recovery phrase, and pays again. A
 * wallet that lets the reader's cookies through is found out, and one that comes back and asks about withdraws where it
 * pays. Firefox: firefox/unlinkable.test.ts.
 */
import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { UiResults } from "../../shared/protocol/ui.ts";
import type { Evidence } from "../attacker/evidence.ts";
import { proofsIn, startTappedProvider, type TappedProvider } from "../attacker/tapped.ts";
import { ARTICLES, LATER, LEFT, marksLeftOn, publishArticles, WAYS_BACK } from "../attacker/two-readers.ts";
import { stockReader } from "../support/books.ts";
import {
  type Extension,
  expect,
  hurry,
  type LaunchOptions,
  launchExtension,
  test,
} from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { fileHolding, mutateExtension } from "../support/mutated-extension.ts";
import {
  approveAndClose,
  expectArticleOpen,
  paywallButton,
  readSnapshot,
  restoreWallet,
} from "../support/reader.ts";
import { THOROUGH } from "../support/thorough.ts";

/** Of the browsers' own requests; the words of the extension stay English, by which the test finds them. */
const MARKS = ["number-one-of-two", "number-two-of-two"];

/** What a restored wallet waits for is meant to be long. That hides when it does something, which proves nothing here. */
const HURRY = 40;
const PATIENCE_MS = 180_000;
/** Three browsers after each other, one of which waits. */
const TIMEOUT_MS = 480_000;

test.describe.configure({ timeout: TIMEOUT_MS });

let provider: TappedProvider;
let site: MerchantSite;
let published: string[];

test.beforeAll(async () => {
  provider = await startTappedProvider();
  site = await startMerchantSite(provider);
  published = await publishArticles(site);
});
test.afterAll(async () => {
  await site.close();
  await provider.close();
});

test("two readers with browsers of their own pay, one comes back by the phrase, and nothing that the provider receives proves whose payment it was", async () => {
  const phrase = await payAsTwo();
  await comeBack(await launchExtension(), phrase);
  const evidence = look(MARKS.length + 1);
  expect(proofsIn(evidence)).toEqual({});
  expect(evidence.payments.flatMap(marksLeftOn)).toEqual([]);
  // They do differ: a page of the provider's got the mark of each.
  const told = JSON.stringify(evidence.record.exchanges.map(({ headers }) => headers));
  for (const mark of MARKS) expect(told).toContain(mark);
});

test(
  "with the cookies left on its requests both are known by their visits to the provider's pages",
  THOROUGH,
  async () => {
    const mutated = mutateExtension("chrome", [
      {
        file: fileHolding("chrome", "updateSessionRules("),
        change: (source) => source.replace(/(header:\s*["'`])cookie(["'`])/, "$1x-cookie$2"),
      },
      {
        file: fileHolding("chrome", "no-referrer"),
        change: (source) => source.replace(/(\.\.\.\w+,\s*credentials:\s*["'`])omit(["'`])/, "$1include$2"),
      },
    ]);
    try {
      await payAsTwo({ extensionFolder: mutated.folder });
      expect(proofsIn(look(MARKS.length))).toMatchObject({ headers: [0, 1] });
    } finally {
      mutated.remove();
    }
  },
);

for (const { what, mistakes, proofs } of WAYS_BACK)
  test(`without a backup ${what}`, THOROUGH, async () => {
    const phrase = await payAsTwo();
    const mutated = mutateExtension(
      "chrome",
      mistakes.map((mistake) => mistake("chrome")),
    );
    try {
      await comeBack(await launchExtension({ extensionFolder: mutated.folder }), phrase);
      expect(proofsIn(look(MARKS.length + 1))).toEqual(proofs);
    } finally {
      mutated.remove();
    }
  });

/** Answers the recovery phrase of the second. */
async function payAsTwo(options: LaunchOptions = {}): Promise<string> {
  provider.look([]);
  let phrase = "";
  for (const [index, mark] of MARKS.entries()) {
    const { extension } = await stockReader(provider, options);
    await visit(extension, mark);
    // With the account's own token, and the mark of the browser if anything let it through.
    await extension.ask({ kind: "ui", type: "saveBackup" });
    await pay(extension, ARTICLES[index] ?? "");
    phrase = await phraseOf(extension);
    await extension.close();
  }
  return phrase;
}

function look(payments: number): Evidence {
  const evidence = provider.look(published);
  expect(evidence.accounts).toHaveLength(MARKS.length);
  expect(evidence.payments).toHaveLength(payments);
  return evidence;
}

/** The second of the two, whose backup knows nothing of the payment: it is searched for. */
async function comeBack(extension: Extension, phrase: string): Promise<void> {
  await hurry(extension, HURRY);
  await visit(extension, MARKS[1] ?? "");
  await restoreWallet(extension, provider.origin, phrase);
  const standing = async () => {
    const { restore, balance } = await readSnapshot(extension);
    return { restore, coins: balance.coins };
  };
  await expect.poll(standing, { timeout: PATIENCE_MS }).toEqual({ restore: null, coins: String(LEFT) });
  await pay(extension, LATER);
  await extension.close();
}

async function phraseOf(extension: Extension): Promise<string> {
  const answer = await extension.ask({ kind: "ui", type: "showPhrase" });
  return v.parse(UiResults.showPhrase, "ok" in answer ? answer.ok : answer).phrase;
}

/** A page of the provider's, to which the browser gives the reader's mark. One for each: the same one would join them. */
async function visit({ context }: Extension, mark: string): Promise<void> {
  for (const url of [provider.origin, provider.accountsOrigin])
    await context.addCookies([{ name: "visitor", value: mark, url }]);
  const page = await context.newPage();
  await page.goto(`${provider.accountsOrigin}/checkout/sandbox/${randomBytes(16).toString("hex")}`);
  await page.close();
}

async function pay(extension: Extension, path: string): Promise<void> {
  const page = await extension.context.newPage();
  await page.goto(site.addressOf(path));
  await paywallButton(page).click();
  await approveAndClose(await extension.waitForApproval());
  await expectArticleOpen(page);
}
