/**
 * The browser ends the extension's worker at each step of a restore. It goes on where it was, and what it ends with is the
 * wallet that was lost: to the micro, with what was bought, the allowance, the limit and the pause.
 */
import { OPTIONS_PAGE } from "../../shared/protocol/ui.ts";
import { expectBooksAddUp } from "../support/books.ts";
import { type Extension, expect, launchExtension, test } from "../support/extension.ts";
import { type FaultProxy, type PlannedFault, startProviderBehindProxy } from "../support/fault-proxy.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import type { RunningProvider } from "../support/provider.ts";
import {
  approveAndClose,
  expectArticleOpen,
  paywallButton,
  readSnapshot,
  restoreWallet,
  setUpWallet,
  topUp,
  waitForCoins,
} from "../support/reader.ts";
import { THOROUGH } from "../support/thorough.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const TOPPED_UP = 5_000_000n;
const TITLES = ["Tide mills", "Lighthouses"];
const BACKUP = "/accounts/me/backup";
/** What a restored wallet waits for is meant to be long, and after a death it waits anew. */
const PATIENCE_MS = 180_000;
const TIMEOUT_MS = 900_000;

const ASKED = "Your provider is asked for your backup.";
const READ = "Receipts that are here: 2 of 2.";
const SEARCHING = /^Receipts that are here: 2\. Now looking for what is newer than your backup/;
const CHECKING = /^Coins still to be looked at, because they may have been spent elsewhere: [1-9]\d*\./;

/** In this order. `passed`: so many requests to this path are answered before, since the worker lives. */
const MOMENTS = [
  { what: "asks what there is of a backup", path: BACKUP, passed: 0, says: ASKED },
  { what: "reads the backup", path: BACKUP, passed: 1, says: ASKED },
  { what: "takes a number of its own", path: BACKUP, passed: 2, says: READ },
  { what: "reads the coins", path: BACKUP, passed: 4, says: READ },
  { what: "says that it takes the coins over", path: BACKUP, passed: 4, says: READ },
  { what: "reads the coins that it took over", path: BACKUP, passed: 3, says: READ },
  { what: "writes a backup of what it took over", path: BACKUP, passed: 5, says: SEARCHING },
  { what: "looks for coins that were signed since", path: "/v1/restore", passed: 0, says: SEARCHING },
  { what: "looks for payments that were made since", path: "/payments/", passed: 1, says: SEARCHING },
  { what: "exchanges the first coin", path: "/v1/swap", passed: 0, says: CHECKING },
  { what: "exchanges another coin", path: "/v1/swap", passed: 1, says: CHECKING },
] as const;

let provider: RunningProvider;
let proxy: FaultProxy;
let site: MerchantSite;
let lost: Extension;
let found: Extension;

test.beforeAll(async () => {
  ({ provider, proxy } = await startProviderBehindProxy({ environment: SANDBOX_ENVIRONMENT }));
  [lost, found, site] = await Promise.all([
    launchExtension(),
    launchExtension(),
    startMerchantSite(provider),
  ]);
  for (const title of TITLES)
    await site.publishArticle(pathOf(title), { title, paid: `<p>All of ${title}.</p>`, price: "5¢" });
});
test.afterAll(async () => {
  await Promise.all([lost.close(), found.close()]);
  await site.close();
  await provider.close();
});

test(
  "a wallet whose worker is killed at every step of its restore comes back whole, and nothing of it twice",
  THOROUGH,
  async () => {
    test.setTimeout(TIMEOUT_MS);
    const phrase = await useWallet(lost);
    const before = await standingOf(lost);
    expect(before).toMatchObject({ total: "4900000", spent: "100000", limitLeft: "1900000", paused: true });
    await lost.close();

    let held = holdAt(MOMENTS[0]);
    await restoreWallet(found, provider.origin, phrase);
    await held.met;
    const page = await found.context.newPage();
    await page.goto(found.url(`${OPTIONS_PAGE}#/backup`));
    for (const [index, { what, says }] of MOMENTS.entries()) {
      await test.step(
        `killed while it ${what}`,
        async () => {
          await held.met;
          await expect(page.getByText("Bringing your wallet back…")).toBeVisible();
          await expect(page.getByText(says)).toBeVisible();
          // The next worker may be there before this one is known to be gone.
          const next = MOMENTS[index + 1];
          const nextHeld = next && holdAt(next);
          await found.killWorker();
          held.drop();
          held = nextHeld ?? held;
        },
        { timeout: PATIENCE_MS },
      );
    }

    await expect.poll(async () => (await readSnapshot(found)).restore, { timeout: PATIENCE_MS }).toBeNull();
    await expect.poll(() => standingOf(found)).toEqual(before);
    await expect(page.getByText("Bringing your wallet back…")).toHaveCount(0);
    for (const title of TITLES) {
      await page.goto(site.addressOf(pathOf(title)));
      await expectArticleOpen(page);
    }
    await expectBooksAddUp(provider, [{ extension: found, toppedUp: TOPPED_UP }]);
  },
);

/** The answer to the request of this moment does not come back; those before it do. */
function holdAt({ path, passed }: (typeof MOMENTS)[number]): PlannedFault {
  for (let index = 0; index < passed; index++) proxy.plan(path, { kind: "answer held" }).release();
  return proxy.plan(path, { kind: "answer held" });
}

/** Buys, limits and pauses, and writes the backup. Gives back the recovery phrase. */
async function useWallet(extension: Extension): Promise<string> {
  const phrase = await setUpWallet(extension, provider.origin);
  const popup = await extension.openPopup();
  await topUp(extension, popup, "$5");
  await waitForCoins(extension);
  await popup.close();
  const [asked = "", unasked = ""] = TITLES;
  const page = await extension.context.newPage();
  await page.goto(site.addressOf(pathOf(asked)));
  await paywallButton(page).click();
  await approveAndClose(await extension.waitForApproval(), { allowance: "$1" });
  await expectArticleOpen(page);
  await page.goto(site.addressOf(pathOf(unasked)));
  await paywallButton(page).click();
  await expectArticleOpen(page);
  await page.close();
  for (const request of [
    { kind: "ui", type: "setMonthlyLimit", limit: "2000000" },
    { kind: "ui", type: "setPaused", paused: true },
    { kind: "ui", type: "saveBackup" },
  ] as const)
    expect(await extension.ask(request)).toEqual({ ok: {} });
  return phrase;
}

/** What has to be the same in both browsers. */
async function standingOf(extension: Extension) {
  const { balance, payments, month, allowances, paused } = await readSnapshot(extension);
  return {
    total: balance.total,
    payments: payments.map(({ id, state, amount, title }) => ({ id, state, amount, title })),
    spent: month.spent,
    limitLeft: month.budget?.left,
    allowances: allowances.map(({ origin, left }) => ({ origin, left })),
    paused,
  };
}

function pathOf(title: string): string {
  return `/${title.toLowerCase().replace(" ", "-")}.html`;
}
