/**
 * What the provider receives of two readers in real browsers, attacked as in test/attacker: headers, cookies and connections
 * are those that browsers send. A wallet that lets the reader's cookies through is found out. Firefox: firefox/unlinkable.test.ts.
 */
import { proofsIn, startTappedProvider, type TappedProvider } from "../attacker/tapped.ts";
import { type StockedReader, stockReader } from "../support/books.ts";
import { expect, test } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { fileHolding, mutateExtension } from "../support/mutated-extension.ts";
import { approveAndClose, expectArticleOpen, paywallButton } from "../support/reader.ts";
import { THOROUGH } from "../support/thorough.ts";

/** Of the browsers' own requests; the words of the extension stay English, by which the test finds them. */
const MARKS = ["number-one-of-two", "number-two-of-two"];

let provider: TappedProvider;
let site: MerchantSite;
let published: string;

test.beforeAll(async () => {
  provider = await startTappedProvider();
  site = await startMerchantSite(provider);
  const article = { title: "An article", paid: "<p>The paid part.</p>", price: "5¢" };
  published = (await site.publishArticle("/a.html", article)).html;
});
test.afterAll(async () => {
  await site.close();
  await provider.close();
});

test("two readers with browsers of their own pay, and nothing that the provider receives proves whose payment it was", async () => {
  const evidence = await payAsTwo();
  expect(proofsIn(evidence)).toEqual({});
  for (const { settled } of evidence.payments) {
    const headers = Object.fromEntries(settled.headers.map(([name, value]) => [name.toLowerCase(), value]));
    expect(headers).toMatchObject({ "accept-language": "en" });
    for (const name of ["origin", "cookie", "referer", "authorization"])
      expect(headers[name], name).toBeUndefined();
  }
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
      expect(proofsIn(await payAsTwo(mutated.folder))).toMatchObject({ headers: 2 });
    } finally {
      mutated.remove();
    }
  },
);

async function payAsTwo(extensionFolder?: string) {
  provider.look([]);
  for (const mark of MARKS) {
    const reader = await stockReader(provider, extensionFolder === undefined ? {} : { extensionFolder });
    const { context } = reader.extension;
    for (const url of [provider.origin, provider.accountsOrigin])
      await context.addCookies([{ name: "visitor", value: mark, url }]);
    const page = await context.newPage();
    await page.goto(`${provider.accountsOrigin}/checkout/sandbox/${"0".repeat(32)}`);
    await page.close();
    // With the account's own token, and the mark of the browser if anything let it through.
    await reader.extension.ask({ kind: "ui", type: "saveBackup" });
    await pay(reader);
    await reader.extension.close();
  }
  const evidence = provider.look([published]);
  expect(evidence.accounts).toHaveLength(2);
  expect(evidence.payments).toHaveLength(2);
  return evidence;
}

async function pay({ extension }: StockedReader): Promise<void> {
  const page = await extension.context.newPage();
  await page.goto(site.addressOf("/a.html"));
  await paywallButton(page).click();
  await approveAndClose(await extension.waitForApproval());
  await expectArticleOpen(page);
}
