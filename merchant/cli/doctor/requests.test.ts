import { expect, test } from "vitest";
import { createRequests, LIMITS, NoAnswerError } from "./requests.ts";

const HOME = new URL("https://paper.example/one.html");
const PUBLIC = "93.184.216.34";

function requestsAt(home: URL, places: Readonly<Record<string, string>>, answer = () => new Response("")) {
  const asked: string[] = [];
  const requests = createRequests(home, {
    fetch: async (input) => {
      asked.push(`${input}`);
      return answer();
    },
    lookup: async (host) => (places[host] === undefined ? [] : [{ address: places[host], family: 4 }]),
    now: () => 0,
    limits: LIMITS,
  });
  return { requests, asked };
}

test.each([
  ["127.0.0.1"],
  ["10.1.2.3"],
  ["192.168.1.1"],
  ["169.254.169.254"],
  ["100.64.0.1"],
  ["0.0.0.0"],
  ["::1"],
  ["fd00::1"],
  ["fe80::1"],
  ["::ffff:10.0.0.1"],
])("a public site's other name that leads to %s is never asked", async (address) => {
  const { requests, asked } = requestsAt(HOME, { "paper.example": PUBLIC, "www.paper.example": address });
  await expect(requests.get("https://www.paper.example/", {})).rejects.toThrow("is in a private network");
  expect(asked).toEqual([]);
});

test("a provider in a private network is told from one for everyone", async () => {
  const { requests } = requestsAt(HOME, { "paper.example": PUBLIC });
  await expect(requests.isHidden("http://127.0.0.1:4020")).resolves.toBe(true);
  await expect(requests.isHidden("http://[::1]:4020")).resolves.toBe(true);
  await expect(requests.isHidden("https://pay.example")).rejects.toThrow("is not known");
});

test("the owner's own machine may name itself", async () => {
  const { requests, asked } = requestsAt(new URL("http://127.0.0.1:8080/"), {});
  await requests.get("http://127.0.0.1:8081/feed", {});
  expect(asked).toEqual(["http://127.0.0.1:8081/feed"]);
});

test.each([
  "https://elsewhere.example/",
  "https://paper.example.evil.example/",
  "file:///etc/passwd",
  "ftp://paper.example/",
  "nonsense",
])("another site is not visited: %s", async (url) => {
  const { requests, asked } = requestsAt(HOME, { "paper.example": PUBLIC, "elsewhere.example": PUBLIC });
  await expect(requests.get(url, {})).rejects.toThrow(NoAnswerError);
  expect(asked).toEqual([]);
});

test("a text in another alphabet's bytes is read as it was meant", async () => {
  const latin = new Uint8Array([0x63, 0x61, 0x66, 0xe9]);
  const answer = () => new Response(latin, { headers: { "content-type": "text/html; charset=iso-8859-1" } });
  const { requests } = requestsAt(HOME, { "paper.example": PUBLIC }, answer);
  expect((await requests.get(HOME.href, {})).body).toBe("café");
});

test("a charset that nobody knows breaks nothing", async () => {
  const answer = () => new Response("café", { headers: { "content-type": "text/html; charset=nonsense" } });
  const { requests } = requestsAt(HOME, { "paper.example": PUBLIC }, answer);
  expect((await requests.get(HOME.href, {})).body).toBe("café");
});
