/**
 * Names for what listens on a port of its own: data that was kept from an earlier run is full of addresses, and the ports of
 * that run are somebody else's by now. Names end in `.localhost`, which browsers trust as they trust https.
 */
import { request } from "node:http";

/** Host name → port on loopback. */
export type Hosts = Readonly<Record<string, number>>;

/** For Chromium: `http://NAME/` is served from that port. */
export function resolverFlag(hosts: Hosts): string {
  const rules = Object.entries(hosts).map(([name, port]) => `MAP ${name}:80 127.0.0.1:${port}`);
  return `--host-resolver-rules=${rules.join(", ")}`;
}

/** The same for programs. Node's own `fetch` lets nobody say which host is meant. */
export function fetchAt(hosts: Hosts): typeof fetch {
  return async (input, init) => {
    const asked = new Request(input, init);
    const { hostname, pathname, search } = new URL(asked.url);
    const port = hosts[hostname];
    if (port === undefined) throw new TypeError(`nobody is ${hostname}`);
    const body = Buffer.from(await asked.arrayBuffer());
    const headers = { ...Object.fromEntries(asked.headers), host: hostname, "content-length": body.length };
    return new Promise((resolve, reject) => {
      const sent = request(
        { host: "127.0.0.1", port, method: asked.method, path: pathname + search, headers, agent: false },
        async (answer) => {
          try {
            const chunks: Buffer[] = [];
            for await (const chunk of answer) chunks.push(chunk);
            const { statusCode: status = 502, headers: answered } = answer;
            const kept = Object.entries(answered).flatMap(([name, value]) =>
              typeof value === "string" ? [[name, value] as [string, string]] : [],
            );
            const isBodiless = status === 204 || status === 304;
            resolve(new Response(isBodiless ? null : Buffer.concat(chunks), { status, headers: kept }));
          } catch (error) {
            reject(error);
          }
        },
      );
      sent.on("error", (error) => reject(new TypeError("nobody answers", { cause: error })));
      sent.end(body);
    });
  };
}
