/** The dashboard's webhooks: made, tested, watched and told again, with a program of the merchant's that listens. */
import { createServer, type Server } from "node:http";
import type { Page } from "@playwright/test";
import { Webhook } from "standardwebhooks";
import { structureFaults, violations } from "../support/accessibility.ts";
import { addAuthenticator, makeMerchant, openScreen, signUp } from "../support/dashboard.ts";
import { type Extension, expect, launchExtension, test } from "../support/extension.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

test.describe.configure({ mode: "serial" });

let provider: RunningProvider;
let extension: Extension;
let page: Page;
let listener: Server;
let url: string;
let status = 204;
const heard: { readonly headers: Record<string, string>; readonly body: string }[] = [];

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  listener = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      const names = ["webhook-id", "webhook-timestamp", "webhook-signature"] as const;
      const headers = Object.fromEntries(names.map((name) => [name, String(request.headers[name])]));
      heard.push({ headers, body });
      response.writeHead(status).end(status === 204 ? "" : "<b>no</b>");
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  url = `http://127.0.0.1:${address.port}/hooks`;
  extension = await launchExtension();
  await extension.welcomePage();
  page = await extension.context.newPage();
  await page.setViewportSize({ width: 1180, height: 900 });
  await addAuthenticator(page);
});
test.afterAll(async () => {
  await extension.close();
  listener.closeAllConnections();
  await new Promise((resolve) => listener.close(resolve));
  await provider.close();
});

const SHOTS = process.env.TUPPENCE_TEST_SHOTS;
async function look(name: string): Promise<void> {
  expect(await violations(page), name).toEqual([]);
  expect(await structureFaults(page), name).toEqual([]);
  if (SHOTS === undefined) return;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${SHOTS}/${name}-${colorScheme}.png`, fullPage: true });
  }
  await page.emulateMedia({ colorScheme: "light" });
}

test("a webhook is made, signs what it sends by the secret that was shown, and its log says how each attempt ended", async () => {
  await signUp(page, provider);
  await makeMerchant(page, "The Mirror");
  await openScreen(page, "Webhooks");
  await page.getByLabel("Address of your program").fill(url);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  const secret = ((await page.getByRole("region", { name: "Secret" }).textContent()) ?? "").trim();
  await look("webhooks-made");

  await page.getByRole("button", { name: `Send a test: ${url}` }).click();
  const log = page.getByRole("region", { name: `Log: ${url}` });
  await expect(log.locator(".chip", { hasText: "Delivered" })).toBeVisible();
  const [first] = heard;
  expect(new Webhook(secret).verify(first?.body ?? "", first?.headers ?? {})).toMatchObject({
    type: "test",
    data: { merchant: "the-mirror" },
  });

  status = 500;
  await page.getByRole("button", { name: `Send a test: ${url}` }).click();
  await expect(log.locator(".chip", { hasText: "Failed" })).toBeVisible();
  await log
    .getByRole("button", { name: /^1 attempt: test/ })
    .first()
    .click();
  // What an endpoint answers is somebody else's text.
  await expect(log.getByText(/refused, 500, [0-9]+ ms · <b>no<\/b>$/)).toBeVisible();
  await look("webhooks-log");
});

test("a webhook that is disabled is sent nothing, and one that is removed is gone with its log", async () => {
  await page.getByRole("button", { name: `Disable: ${url}` }).click();
  await expect(page.getByText("Disabled", { exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: `Send a test: ${url}` })).toBeDisabled();
  await page.getByRole("button", { name: `Enable: ${url}` }).click();
  await expect(page.getByRole("button", { name: `Disable: ${url}` })).toBeVisible();
  await page.getByRole("button", { name: `Remove: ${url}` }).click();
  await page.getByRole("button", { name: `Remove it: ${url}` }).click();
  await expect(page.getByRole("heading", { name: url })).toHaveCount(0);
});
