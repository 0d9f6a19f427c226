/**
 * "Site owner, five minutes", as the README tells it: from signing up to a settled payment, doing what the dashboard says
 * and pasting what it shows, letter by letter.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { type StockedReader, stockReader } from "../support/books.ts";
import { addAuthenticator, addSite, makeMerchant, openScreen, signUp } from "../support/dashboard.ts";
import { expect, test } from "../support/extension.ts";
import { runOperatorCommand, runTuppence } from "../support/operator.ts";
import { type OwnedSite, PROOF_PATH, startOwnedSite } from "../support/owned-site.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { approveAndClose, expectArticleOpen, paywallButton } from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const PAID_TEXT = "At half past four the sluice is opened, and the mill begins to speak.";

let provider: RunningProvider;
let reader: StockedReader;
let site: OwnedSite;
let folder: string;

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  reader = await stockReader(provider);
  site = await startOwnedSite();
  folder = mkdtempSync(join(tmpdir(), "tuppence-owner-"));
});
test.afterAll(async () => {
  await reader.extension.close();
  await site.close();
  await provider.close();
  rmSync(folder, { recursive: true, force: true });
});

test("a stranger signs up, pastes what the dashboard shows, and is paid", async () => {
  const { context } = reader.extension;
  const page = await context.newPage();
  await addAuthenticator(page);
  await signUp(page, provider);
  const merchant = await makeMerchant(page, "Tide Mill Weekly");

  site.files.set(PROOF_PATH, { type: "text/plain", body: await addSite(page, site.origin) });
  await page.getByRole("button", { name: `Check now: ${site.origin}` }).click();
  await expect(page.getByText(/^Proven /)).toBeVisible();

  await openScreen(page, "Settings");
  const keyFile = join(folder, "merchant-key.json");
  const made = await runTuppence(["seal", "--make-key", "--key", keyFile]);
  expect(made.code, made.output).toBe(0);
  await page
    .getByLabel("Public key")
    .fill(made.output.slice(made.output.indexOf("{"), made.output.indexOf("}") + 1));
  await page.getByRole("button", { name: "Add the key" }).click();
  await expect(page.getByRole("button", { name: /^Remove: / })).toBeVisible();
  await page.getByLabel("Money back within").selectOption("None");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved")).toBeVisible();

  await openScreen(page, "Put it on a page");
  await sealAsTold(page, keyFile);
  const tipJar = await tipJarCode(page);
  publish({ "about.html": `<!doctype html><title>About us</title><h1>About us</h1>${tipJar}` });
  site.files.set("/tuppence.js", await downloadSnippet(page));

  const article = await context.newPage();
  await article.goto(`${site.origin}/mill.html`);
  await expect(article.getByText(PAID_TEXT)).toHaveCount(0);
  await paywallButton(article).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectArticleOpen(article);
  await expect(article.getByText(PAID_TEXT)).toBeVisible();

  await article.goto(`${site.origin}/about.html`);
  await article.locator("tuppence-tip").getByRole("button").click();
  const question = await reader.extension.waitForApproval();
  await expect(question.getByRole("heading")).toHaveText("A tip to Tide Mill Weekly");
  await approveAndClose(question);
  await expect(article.locator("tuppence-tip")).toHaveAttribute("state", "thanks");

  const settled = await runOperatorCommand(provider, "settle.ts");
  expect(settled.code, settled.output).toBe(0);
  const statements = readdirSync(join(provider.dataFolder, "statements"));
  expect(statements).toContain(`${merchant}-1.json`);
  const statement = JSON.parse(
    readFileSync(join(provider.dataFolder, "statements", `${merchant}-1.json`), "utf8"),
  );
  expect([statement.paymentCount, statement.payments]).toEqual([2, "130000"]);
});

/** The page with the marks that are shown, then the command that is shown, with these folders. */
async function sealAsTold(page: Page, keyFile: string): Promise<void> {
  await page.getByLabel("Price").fill("8¢");
  const marks = (await page.getByRole("region", { name: "Marks" }).textContent()) ?? "";
  const source = join(folder, "site");
  mkdirSync(source);
  const marked = marks.replace("What your readers pay for.", PAID_TEXT);
  writeFileSync(
    join(source, "mill.html"),
    `<!doctype html><html lang="en"><head><title>The mill</title></head><body><h1>The mill</h1><div><p>Twice a day the sea comes up the creek.</p>${marked}</div></body></html>`,
  );
  const command = (await page.getByRole("region", { name: "Command" }).textContent()) ?? "";
  const [npx, tuppence, ...args] = command.replaceAll("\\\n", " ").trim().split(/\s+/);
  expect([npx, tuppence]).toEqual(["npx", "tuppence"]);
  const places: Readonly<Record<string, string>> = {
    "merchant-key.json": keyFile,
    site: source,
    public: join(folder, "public"),
  };
  const sealed = await runTuppence(args.map((argument) => places[argument] ?? argument));
  expect(sealed.code, sealed.output).toBe(0);
  publishFolder(join(folder, "public"));
}

async function tipJarCode(page: Page): Promise<string> {
  await page.getByRole("button", { name: "A tip jar" }).click();
  await page.getByLabel("Suggested tip").fill("5¢");
  return (await page.getByRole("region", { name: "Tip jar" }).textContent()) ?? "";
}

async function downloadSnippet(page: Page) {
  const href = await page.getByRole("link", { name: "Download tuppence.js" }).getAttribute("href");
  const response = await fetch(new URL(href ?? "", page.url()));
  expect(response.status).toBe(200);
  return { type: "text/javascript", body: Buffer.from(await response.arrayBuffer()) };
}

function publishFolder(from: string): void {
  for (const name of readdirSync(from)) {
    const type = name.endsWith(".js") ? "text/javascript" : "text/html; charset=utf-8";
    site.files.set(`/${name}`, { type, body: readFileSync(join(from, name)) });
  }
}

function publish(pages: Readonly<Record<string, string>>): void {
  for (const [name, body] of Object.entries(pages))
    site.files.set(`/${name}`, { type: "text/html; charset=utf-8", body });
}
