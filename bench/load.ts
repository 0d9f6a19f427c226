/**
 * Sends prepared requests over so many connections, in a process of its own, and prints how it went:
 * `node bench/load.ts FILE`, a file of JSON (`Load`). SIGTERM ends it before all are sent.
 */
import { readFileSync } from "node:fs";
import autocannon, { type Options, type Result } from "autocannon";
import * as v from "valibot";

export const Load = v.object({
  url: v.string(),
  method: v.picklist(["GET", "POST"]),
  headers: v.record(v.string(), v.string()),
  /** One request each, sent once. Of a GET they are ignored, and only counted. */
  bodies: v.array(v.string()),
  /** Beside the bodies, where each request has its own. */
  ownHeaders: v.optional(v.array(v.record(v.string(), v.string()))),
  /** Over all connections; as many as there is time for without it. */
  perSecond: v.optional(v.number()),
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

async function send(load: Load): Promise<LoadResult> {
  const { url, method, headers, bodies, ownHeaders, perSecond, connections, expected } = load;
  let next = 0;
  let bad = 0;
  let answered = 0;
  let last = 0;
  const started = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const options: Options = {
    url,
    connections,
    amount: bodies.length,
    ...(perSecond === undefined ? {} : { overallRate: perSecond }),
    requests: [
      {
        method,
        headers,
        setupRequest: (request) => {
          const body = method === "POST" ? { body: bodies[next] ?? "" } : {};
          const own = ownHeaders?.[next];
          next += 1;
          return { ...request, ...body, ...(own ? { headers: { ...request.headers, ...own } } : {}) };
        },
        onResponse: (status, body) => {
          last = performance.now();
          answered += 1;
          if (status !== 200 || !body.includes(expected)) bad += 1;
        },
      },
    ],
  };
  const instance = autocannon(options, (error, ended) => (error ? reject(error) : resolve(ended)));
  process.once("SIGTERM", () => instance.stop());
  const result = await promise;
  return {
    perSecond: (answered / (last - started)) * 1_000,
    p99Ms: result.latency.p99,
    bad: bad + result.errors + result.timeouts,
  };
}
