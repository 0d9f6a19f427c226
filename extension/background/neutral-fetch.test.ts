import { globSync, readFileSync } from "node:fs";
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

it("is the only way out: no other file of the extension or the wallet opens a connection", () => {
  const sources = globSync(["extension/**/*.{ts,tsx}", "wallet/**/*.ts"]).filter(
    (file) => !/\.test\.tsx?$|\.d\.ts$|^wallet\/core\/testing\.ts$/.test(file),
  );
  expect(sources.length).toBeGreaterThan(100);
  const others = sources.filter((file) => WAY_OUT.test(withoutComments(readFileSync(file, "utf8"))));
  // The wallet's client calls what it was handed.
  expect(others.toSorted()).toEqual(["extension/background/neutral-fetch.ts", "wallet/provider/call.ts"]);
});

/** A call, not a name; and whatever else reaches a server. */
const WAY_OUT =
  /(?<![\w.])fetch\(|\b(?:XMLHttpRequest|WebSocket|WebTransport|EventSource|sendBeacon|RTCPeerConnection|importScripts)\b/;

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}
