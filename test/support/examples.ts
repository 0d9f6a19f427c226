/** What the examples for site owners are tried with: a provider, a reader with money, and addresses for the sites. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Page } from "@playwright/test";
import express from "express";
import { registerNewspaper } from "../../demo/register.ts";
import { makeKey } from "../../merchant/cli/key.ts";
import { expectBooksAddUp, stockReader, totalOf } from "./books.ts";
import { expect } from "./extension.ts";
import { readAdminToken, startProvider } from "./provider.ts";
import { approveAndClose } from "./reader.ts";
import { SANDBOX_ENVIRONMENT } from "./world.ts";

const ROOT = join(import.meta.dirname, "../..");

export interface Purchase {
  readonly address: string;
  /** What the button stands in. */
  readonly part: string;
  readonly price: string;
  /** Some of what is paid for. */
  readonly words: string;
}

export interface Examples {
  /** Of the test's own, removed at the end. */
  readonly folder: string;
  readonly providerOrigin: string;
  /** @returns the file of the key that the site is registered with */
  register(id: string, origin: string): Promise<string>;
  /** Registers and serves a folder that is still to be made: the address is part of every seal. */
  serveFolder(id: string): Promise<ServedFolder>;
  /** By the reader, in the browser. The page is left open. */
  buy(purchase: Purchase): Promise<Page>;
  /** As somebody who bought it before, in a new tab. */
  comeBack(purchase: Purchase): Promise<void>;
  /** Also looks whether all the money is there. */
  close(): Promise<void>;
}

export interface ServedFolder {
  readonly id: string;
  readonly out: string;
  readonly origin: string;
  readonly keyFile: string;
  close(): Promise<void>;
}

export async function openExamples(): Promise<Examples> {
  const folder = await mkdtemp(join(tmpdir(), "tuppence-examples-"));
  const provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  const reader = await stockReader(provider);

  const register = async (id: string, origin: string) => {
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
    return keyFile;
  };

  return {
    folder,
    providerOrigin: provider.origin,
    register,
    async serveFolder(id) {
      const out = join(folder, id);
      const server = createServer(express().use(express.static(out)));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("the site has no port");
      const origin = `http://127.0.0.1:${address.port}`;
      const keyFile = await register(id, origin);
      const close = () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        });
      return { id, out, origin, keyFile, close };
    },
    async buy({ address, part, price, words }) {
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
      return page;
    },
    async comeBack({ address, words }) {
      const page = await reader.extension.context.newPage();
      const before = await totalOf(reader);
      await page.goto(address);
      await expect(page.getByText(words)).toBeVisible();
      expect(await totalOf(reader)).toBe(before);
      await page.close();
    },
    async close() {
      await expectBooksAddUp(provider, [reader]);
      await reader.extension.close();
      await provider.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a program of Node printed, run in the root of the checkout unless `cwd` says otherwise. @throws Error with that where it fails */
export function run(
  args: readonly string[],
  { cwd = ".", ...environment }: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = spawn(process.execPath, args, {
    cwd: join(ROOT, cwd),
    env: { ...process.env, ...environment },
  });
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
