import { beforeEach, expect, it, vi } from "vitest";

const browser = await vi.hoisted(async () =>
  (await import("../../test/support/fake-platform.ts")).makeFakeBrowser(),
);
vi.mock("../platform.ts", () => browser.platform);

/** What left the browser, and with what. */
const sent: RequestInit[] = [];

beforeEach(() => {
  vi.resetModules();
  sent.length = 0;
  browser.rule = async () => undefined;
  vi.stubGlobal("fetch", async (_input: string, init: RequestInit) => {
    sent.push(init);
    return new Response();
  });
});

/** The module as a background that just started has it. */
async function startBackground() {
  return import("./neutral-fetch.ts");
}

it("sends nothing before the rule stands that takes the reader's marks off", async () => {
  const { neutralFetch } = await startBackground();
  const rule = Promise.withResolvers<void>();
  browser.rule = () => rule.promise;
  const answer = neutralFetch("https://pay.example/v1/keys");
  await new Promise(setImmediate);
  expect(sent).toEqual([]);
  rule.resolve();
  await answer;
  expect(sent).toHaveLength(1);
});

it("sends nothing at all without the rule, and tries to put it up again for the next request", async () => {
  const { neutralFetch } = await startBackground();
  browser.rule = () => Promise.reject(new Error("no rules today"));
  await expect(neutralFetch("https://pay.example/v1/keys")).rejects.toThrow("no rules today");
  expect(sent).toEqual([]);
  browser.rule = async () => undefined;
  await neutralFetch("https://pay.example/v1/keys");
  expect(sent).toHaveLength(1);
});

it("puts the rule up once, however many requests wait for it", async () => {
  const { neutralFetch, prepareRequests } = await startBackground();
  const put = vi.fn(async () => undefined);
  browser.rule = put;
  await Promise.all([
    prepareRequests(),
    neutralFetch("https://pay.example/a"),
    neutralFetch("https://b.example"),
  ]);
  expect(put).toHaveBeenCalledTimes(1);
});

it("lets no caller send cookies, a referrer or something from the cache", async () => {
  const { neutralFetch } = await startBackground();
  await neutralFetch("https://pay.example/x402/settle", {
    method: "POST",
    body: "{}",
    credentials: "include",
    cache: "force-cache",
    referrerPolicy: "unsafe-url",
  });
  expect(sent).toEqual([
    { method: "POST", body: "{}", credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" },
  ]);
});
