/**
 * Sends prepared requests over so many connections, in a process of its own, and prints how it went:
 * `node bench/load.ts FILE`, a file of JSON (`Load`).
 */
import { readFileSync } from "node:fs";
import autocannon from "autocannon";
import * as v from "valibot";

export const Load = v.object({
  url: v.string(),
  method: v.picklist(["GET", "POST"]),
  headers: v.record(v.string(), v.string()),
  /** One request each, sent once. Of a GET they are ignored, and only counted. */
  bodies: v.array(v.string()),
  connections: v.number(),
  /** What every answer has to contain: a quick refusal is no payment. */
  expected: v.string(),
});
export type Load = v.InferOutput<typeof Load>;

export const LoadResult = v.object({
  perSecond: v.number(),
  p99Ms: v.number(),
  bad: v.number(),
});
export type LoadResult = v.InferOutput<typeof LoadResult>;

if (import.meta.main) {
  const file = process.argv[2];
  if (file === undefined) throw new Error("name the file of the load");
  console.log(JSON.stringify(await send(v.parse(Load, JSON.parse(readFileSync(file, "utf8"))))));
}

async function send({ url, method, headers, bodies, connections, expected }: Load): Promise<LoadResult> {
  let next = 0;
  let bad = 0;
  let last = 0;
  const started = performance.now();
  const result = await autocannon({
    url,
    connections,
    amount: bodies.length,
    requests: [
      {
        method,
        headers,
        ...(method === "POST"
          ? { setupRequest: (request) => ({ ...request, body: bodies[next++] ?? "" }) }
          : {}),
        onResponse: (status, body) => {
          last = performance.now();
          if (status !== 200 || !body.includes(expected)) bad += 1;
        },
      },
    ],
  });
  return {
    perSecond: (bodies.length / (last - started)) * 1_000,
    p99Ms: result.latency.p99,
    bad: bad + result.errors + result.timeouts,
  };
}
