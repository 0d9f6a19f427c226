/** The examples for site owners, built as their READMEs say, served, and paid for in a browser. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import express from "express";
import { registerNewspaper } from "../../demo/register.ts";
import { makeKey } from "../../merchant/cli/key.ts";
import { expectBooksAddUp, type StockedReader, stockReader, totalOf } from "../support/books.ts";
import { expect, test } from "../support/extension.ts";
import { type RunningProvider, readAdminToken, startProvider } from "../support/provider.ts";
import { approveAndClose } from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const ROOT = join(import.meta.dirname, "../..");

let folder: string;
let provider: RunningProvider;
let reader: StockedReader;

test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tuppence-examples-"));
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  reader = await stockReader(provider);
});
test.afterAll(async () => {
  await expectBooksAddUp(provider, [reader]);
  await reader.extension.close();
  await provider.close();
  await rm(folder, { recursive: true, force: true });
});

test("the example of plain files sells what its command sealed, and its feed gives nothing away", async () => {
  const site = await serve("shore-notes");
  const seal = () =>
    run([
      "scripts/tuppence.mjs",
      "seal",
      ...["--key", site.keyFile, "--merchant", site.id, "--provider", provider.origin],
      ...["--base-url", site.origin, "--site", "demo/examples/static/site", "--out", site.out],
    ]);
  expect(await seal()).toMatch(/pages: 2 sealed/);
  expect(await seal()).toMatch(/pages: 0 sealed, 0 written around seals that stay, 2 unchanged/);
  expect(await readFile(join(site.out, "feed.xml"), "utf8")).not.toContain("granite");

  await buy(`${site.origin}/sand.html`, ".tuppence-paid", "5¢", "Quartz is what is left");
  await buy(`${site.origin}/notebook.html`, "#foam", "2¢", "the protein of algae");
  await site.close();
});

test("the example for Eleventy sells what its hook sealed, and its feed gives nothing away", async () => {
  const site = await serve("letters");
  const printed = await run(
    ["../../../node_modules/@11ty/eleventy/cmd.cjs", `--output=${join(folder, "letters-clear")}`],
    {
      cwd: join(ROOT, "demo/examples/eleventy"),
      TUPPENCE_KEY: site.keyFile,
      TUPPENCE_PROVIDER: provider.origin,
      SITE_URL: site.origin,
      SITE_OUT: site.out,
    },
  );
  expect(printed).toContain("[tuppence] sealed letters/fog/index.html");
  const feed = await readFile(join(site.out, "feed.xml"), "utf8");
  expect(feed).toContain("It came in at four");
  expect(feed).toContain(`&lt;a href=&quot;${site.origin}/letters/fog/&quot;&gt;Read on for 5¢`);
  expect(feed).not.toContain("Sound bends");

  await buy(`${site.origin}/letters/lamp/`, ".tuppence-paid", "7¢", "It floats on mercury");
  await site.close();
});

async function buy(address: string, part: string, price: string, words: string): Promise<void> {
  const page = await reader.extension.context.newPage();
  const before = await totalOf(reader);
  await page.goto(address);
  expect(await page.content()).not.toContain(words);
  const button = page.locator(part).getByRole("button");
  await expect(button).toHaveText(`Read on for ${price}`);
  await button.click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expect(page.getByText(words)).toBeVisible();
  expect(before - (await totalOf(reader))).toBe(BigInt(price.replace("¢", "0000")));
  await page.close();
}

/** Serves a folder that is still to be made: the address is part of every seal. */
async function serve(id: string) {
  const out = join(folder, id);
  const server = createServer(express().use(express.static(out)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the site has no port");
  const origin = `http://127.0.0.1:${address.port}`;
  const keyFile = join(folder, `${id}.key.json`);
  await registerNewspaper({
    accountsOrigin: provider.accountsOrigin,
    adminToken: readAdminToken(provider),
    merchantId: id,
    name: id,
    origin,
    sealKey: await makeKey(keyFile),
    refundWindowSeconds: 3_600,
  });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { id, out, origin, keyFile, close };
}

/** What it printed. @throws Error with that where it fails */
function run(
  args: readonly string[],
  { cwd = ROOT, ...environment }: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = spawn(process.execPath, args, { cwd, env: { ...process.env, ...environment } });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(printed) : reject(new Error(printed))));
  });
}
