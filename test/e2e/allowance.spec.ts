/** A budget for one site: what it saves the reader, and that it is never exceeded. */
import {
  expectBooksAddUp,
  paidToMerchants,
  type StockedReader,
  stockReader,
  totalOf,
} from "../support/books.ts";
import { expect, test } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { approve, expectArticleOpen, paywallButton, readSnapshot } from "../support/reader.ts";
import {
  clickAtOnce,
  closeAll,
  declineAll,
  openTab,
  openTabs,
  publishArticles,
  questionsOf,
  statesOf,
} from "../support/tabs.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

let provider: RunningProvider;
let reader: StockedReader;
const sites: MerchantSite[] = [];
const questions = () => questionsOf(reader.extension);

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  reader = await stockReader(provider);
});
test.afterAll(async () => {
  await expectBooksAddUp(provider, [reader]);
  await reader.extension.close();
  await Promise.all(sites.map((site) => site.close()));
  await provider.close();
});

test("with an allowance the next click is not asked about, until the budget ends, and then it is", async () => {
  const site = await openSite("ends", 5, "40¢");
  const before = await totalOf(reader);
  const pages = await openTabs(reader.extension, site, 5);
  const [asked, second, third, fourth, fifth] = pages;
  if (!asked || !second || !third || !fourth || !fifth) throw new Error("five pages");
  await paywallButton(asked).click();
  await approve(await reader.extension.waitForApproval(), { allowance: "$1" });
  await expectArticleOpen(asked);
  await expect.poll(questions).toHaveLength(0);
  expect(await leftAt(site)).toBe("1000000");

  for (const page of [second, third]) {
    await paywallButton(page).click();
    await expectArticleOpen(page);
    expect(questions(), "no window").toHaveLength(0);
  }
  expect(await leftAt(site)).toBe("200000");
  expect(await totalOf(reader)).toBe(before - 1_200_000n);

  // 40¢ do not fit into the 20¢ that are left.
  await paywallButton(fourth).click();
  const question = await reader.extension.waitForApproval();
  expect(await totalOf(reader)).toBe(before - 1_200_000n);
  await approve(question);
  await expectArticleOpen(fourth);
  expect(await totalOf(reader)).toBe(before - 1_600_000n);
  expect(await leftAt(site), "what is approved by itself does not come from the budget").toBe("200000");
  await expect.poll(questions).toHaveLength(0);

  // Taken away in the popup, it is gone for everything.
  const popup = await reader.extension.openPopup();
  await popup.getByRole("button", { name: /^Remove the allowance of Site ends/ }).click();
  await expect(popup.getByText("Allowances")).toHaveCount(0);
  await popup.close();
  await publishArticles(site, 5, "5¢");
  await fifth.reload();
  await paywallButton(fifth).click();
  await declineAll(reader.extension, 1);
  expect(await totalOf(reader)).toBe(before - 1_600_000n);
  await closeAll(pages);
});

test("ten tabs that pay in the same moment do not spend more than the allowance", async () => {
  const site = await openSite("race", 11, "15¢");
  const [first, ...pages] = await openTabs(reader.extension, site, 11);
  if (!first) throw new Error("a first page");
  await paywallButton(first).click();
  await approve(await reader.extension.waitForApproval(), { allowance: "$1" });
  await expectArticleOpen(first);
  await expect.poll(questions).toHaveLength(0);
  const before = await totalOf(reader);
  const paid = await paidToMerchants(provider);

  await clickAtOnce(pages);
  // Six fit into the dollar; the other four ask.
  await expect
    .poll(() => statesOf(pages), { timeout: 30_000 })
    .toEqual([...Array(4).fill("asking"), ...Array(6).fill("open")]);
  // One window at a time; the others wait for their turn.
  await expect.poll(questions, { timeout: 30_000 }).toHaveLength(1);
  expect(await leftAt(site)).toBe("100000");
  expect(await totalOf(reader)).toBe(before - 900_000n);
  expect(await paidToMerchants(provider)).toBe(paid + 900_000n);

  await declineAll(reader.extension, 4);
  await expect.poll(() => statesOf(pages)).toEqual([...Array(4).fill("error"), ...Array(6).fill("open")]);
  expect(await totalOf(reader)).toBe(before - 900_000n);
  expect(await leftAt(site)).toBe("100000");
  await closeAll([first, ...pages]);
});

test("the same article clicked in five tabs at once is paid for once, and opens in all of them", async () => {
  const site = await openSite("same", 2, "10¢");
  const [first] = await openTabs(reader.extension, site, 1);
  if (!first) throw new Error("a first page");
  await paywallButton(first).click();
  await approve(await reader.extension.waitForApproval(), { allowance: "$1" });
  await expectArticleOpen(first);
  const before = await totalOf(reader);
  const pages = await Promise.all(
    Array.from({ length: 5 }, () => openTab(reader.extension, site.addressOf("/1.html"))),
  );
  await clickAtOnce(pages);
  await expect.poll(() => statesOf(pages), { timeout: 30_000 }).toEqual(Array(5).fill("open"));
  expect(await totalOf(reader)).toBe(before - 100_000n);
  expect(await leftAt(site)).toBe("900000");
  await closeAll([first, ...pages]);
});

test("an allowance for one site does not pay at another", async () => {
  const [one, other] = await Promise.all([openSite("one", 1, "5¢"), openSite("other", 1, "5¢")]);
  const before = await totalOf(reader);
  const [here] = await openTabs(reader.extension, one, 1);
  const [there] = await openTabs(reader.extension, other, 1);
  if (!here || !there) throw new Error("two pages");
  await paywallButton(here).click();
  await approve(await reader.extension.waitForApproval(), { allowance: "$5" });
  await expectArticleOpen(here);
  await expect.poll(questions).toHaveLength(0);
  await paywallButton(there).click();
  await declineAll(reader.extension, 1);
  expect(await totalOf(reader)).toBe(before - 50_000n);
  await closeAll([here, there]);
});

async function openSite(name: string, articles: number, price: string): Promise<MerchantSite> {
  const site = await startMerchantSite(provider, { id: `site-${name}`, name: `Site ${name}` });
  sites.push(site);
  await publishArticles(site, articles, price);
  return site;
}

async function leftAt({ origin }: MerchantSite): Promise<string | undefined> {
  const { allowances } = await readSnapshot(reader.extension);
  return allowances.find((allowance) => allowance.origin === origin)?.left;
}
