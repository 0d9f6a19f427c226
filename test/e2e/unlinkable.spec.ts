/**
 * What the provider receives of two readers in real browsers, attacked as in test/attacker: the headers, cookies and
 * connections are those that browsers send. Firefox: firefox/unlinkable.test.ts.
 */
import type { Page } from "@playwright/test";
import { proofsIn, startTappedProvider, type TappedProvider } from "../attacker/tapped.ts";
import { type StockedReader, stockReader } from "../support/books.ts";
import { expect, test } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { approveAndClose, expectArticleOpen, paywallButton } from "../support/reader.ts";

const LANGUAGES = ["de-DE", "ja-JP"];

let provider: TappedProvider;
let site: MerchantSite;
let readers: StockedReader[];
const published: string[] = [];

test.beforeAll(async () => {
  provider = await startTappedProvider();
  site = await startMerchantSite(provider);
  for (const path of ["/a.html", "/b.html"])
    published.push((await site.publishArticle(path, { title: "An article", paid: "<p>Paid.</p>" })).html);
  readers = [];
  for (const [index, language] of LANGUAGES.entries()) {
    const reader = await stockReader(provider, {
      extraFlags: [`--accept-lang=${language}`, `--user-agent=Browser/${index}`],
    });
    for (const url of [provider.origin, provider.accountsOrigin])
      await reader.extension.context.addCookies([{ name: "visitor", value: `number-${index}-of-two`, url }]);
    readers.push(reader);
  }
});
test.afterAll(async () => {
  for (const { extension } of readers) await extension.close();
  await site.close();
  await provider.close();
});

test("two readers with browsers of their own pay, and nothing that the provider receives proves whose payment it was", async () => {
  for (const reader of readers) await (await pay(reader, "/a.html")).close();
  const evidence = provider.look(published);
  expect(evidence.accounts).toHaveLength(2);
  expect(evidence.payments).toHaveLength(2);
  expect(proofsIn(evidence)).toEqual({});

  // They do differ: the checkout, which is a page like any other, got it all.
  const told = evidence.accounts.map(({ exchanges }) =>
    exchanges.flatMap(({ headers }) =>
      headers.filter(([name]) => /^(accept-language|user-agent)$/i.test(name)).map(([, value]) => value),
    ),
  );
  for (const [index, language] of LANGUAGES.entries()) {
    expect(told[index]?.some((value) => value.startsWith(language))).toBe(true);
    expect(told[index]).toContain(`Browser/${index}`);
  }
  const own = evidence.payments.map(({ settled }) =>
    Object.fromEntries(settled.headers.map(([name, value]) => [name.toLowerCase(), value])),
  );
  for (const headers of own) {
    expect(headers).toMatchObject({ "accept-language": "en", "user-agent": "Tuppence" });
    for (const name of ["origin", "cookie", "referer", "authorization", "sec-ch-ua", "sec-ch-ua-platform"])
      expect(headers[name], name).toBeUndefined();
  }
});

test("a click that wakes the wallet does not bring a word to the account beside the payment", async () => {
  const [reader] = readers;
  if (!reader) throw new Error("nobody is there");
  provider.look([]);
  await reader.extension.killWorker();
  const page = await pay(reader, "/b.html");
  // The worker's own start, half a second after it, is behind it too when keysets were asked for.
  const paths = new Set<string>();
  const sides = new Set<string>();
  await expect
    .poll(() => {
      for (const { path, side } of provider.look([]).record.exchanges) {
        paths.add(path);
        sides.add(side);
      }
      return [...paths];
    })
    .toEqual(expect.arrayContaining(["/x402/settle", "/.well-known/keysets.json"]));
  await reader.extension.killWorker();
  for (const { side } of provider.look([]).record.exchanges) sides.add(side);
  expect([...sides]).toEqual(["anonymous"]);
  await page.close();
});

async function pay({ extension }: StockedReader, path: string): Promise<Page> {
  const page = await extension.context.newPage();
  await page.goto(site.addressOf(path));
  await paywallButton(page).click();
  await approveAndClose(await extension.waitForApproval());
  await expectArticleOpen(page);
  return page;
}
