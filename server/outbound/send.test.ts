import { createServer, type RequestListener, type Server } from "node:http";
import { afterEach, expect, test } from "vitest";
import { isPublicAddress } from "./addresses.ts";
import { OutboundError, type OutboundRequest, sendOutbound } from "./index.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function serve(listener: RequestListener): Promise<URL> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  const address = started.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  return new URL(`http://127.0.0.1:${address.port}/`);
}

const send = (url: URL, more: Partial<OutboundRequest> = {}) =>
  sendOutbound({
    url,
    method: "GET",
    timeoutMilliseconds: 5_000,
    maxAnswerBytes: 1_000,
    mayBePrivate: true,
    ...more,
  });

const reasonOf = (sending: Promise<unknown>) =>
  sending.then(
    () => "sent",
    (error: unknown) => (error instanceof OutboundError ? error.reason : error),
  );

test.each([
  ["127.0.0.1", "this machine"],
  ["10.1.2.3", "a private network"],
  ["172.16.0.1", "a private network"],
  ["192.168.1.1", "a router"],
  ["169.254.169.254", "a cloud's metadata"],
  ["100.64.0.1", "a carrier's network"],
  ["0.0.0.0", "every address"],
  ["224.0.0.1", "many at once"],
  ["255.255.255.255", "everyone"],
  ["::1", "this machine"],
  ["fe80::1", "the link"],
  ["fc00::1", "a private network"],
  ["::ffff:127.0.0.1", "this machine, written otherwise"],
  ["64:ff9b::7f00:1", "this machine, through a gateway"],
  ["::7f00:1", "this machine, in the oldest way"],
  ["4000::1", "what is given to nobody"],
  ["168.63.129.16", "a cloud's own service"],
  ["not an address", "nothing"],
])("%s is nobody's to call: %s", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(["8.8.8.8", "2606:4700::1111"])("%s may be called", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test("a private address is refused before anything is sent, also where a name leads to it", async () => {
  let requests = 0;
  const url = await serve((_request, response) => {
    requests++;
    response.end();
  });
  expect(await reasonOf(send(url, { mayBePrivate: false }))).toBe("address_private");
  const named = new URL(url);
  named.hostname = "paper.example";
  for (const addresses of [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"]])
    expect(await reasonOf(send(named, { mayBePrivate: false, resolve: async () => addresses }))).toBe(
      "address_private",
    );
  expect(requests).toBe(0);
});

test("the connection goes to the address that was judged, under the name that was asked for", async () => {
  const url = await serve((request, response) => response.end(request.headers.host));
  url.hostname = "paper.example";
  const { status, body } = await send(url, { resolve: async () => ["127.0.0.1"] });
  expect([status, body.toString()]).toEqual([200, url.host]);
});

test("a redirect is an answer and not followed", async () => {
  const url = await serve((_request, response) => response.writeHead(302, { location: "/" }).end());
  expect((await send(url)).status).toBe(302);
});

test("an answer without end is cut", async () => {
  const url = await serve((_request, response) => {
    const timer = setInterval(() => response.write("x".repeat(400)), 1);
    response.on("close", () => clearInterval(timer));
  });
  expect((await send(url)).body.length).toBe(1_000);
});

test("who does not answer, or not to the end, is left", async () => {
  const silent = await serve(() => {});
  expect(await reasonOf(send(silent, { timeoutMilliseconds: 100 }))).toBe("timeout");
  const never = () => new Promise<never>(() => {});
  silent.hostname = "paper.example";
  expect(await reasonOf(send(silent, { timeoutMilliseconds: 100, resolve: never }))).toBe("timeout");
});

test("who answers in another protocol is left", async () => {
  const url = await serve(() => {});
  server?.on("connection", (socket) => {
    socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  });
  expect(await reasonOf(send(url))).toBe("unreachable");
});

test("nobody there is said as such", async () => {
  expect(await reasonOf(send(new URL("http://127.0.0.1:1/")))).toBe("unreachable");
  expect(await reasonOf(send(new URL("http://nobody.invalid/")))).toBe("address_unknown");
});
