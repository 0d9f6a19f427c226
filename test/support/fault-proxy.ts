/**
 * Between wallet and provider: passes everything on unchanged, unless told to do to the next request what networks and
 * servers do. The provider is started with the proxy's two origins as its own, so that wallet and merchants know only those.
 */
import { createServer, type IncomingHttpHeaders, request as makeRequest } from "node:http";
import { createServer as createSocketServer } from "node:net";
import { type ProviderOptions, type RunningProvider, startProvider } from "./provider.ts";

export type Fault =
  /** It never arrives. */
  | { readonly kind: "request lost" }
  /** It arrives and is answered; the answer is lost on its way back. */
  | { readonly kind: "answer lost" }
  /** It never arrives, and something else answers in the provider's place. */
  | {
      readonly kind: "answered by another";
      readonly status: number;
      readonly type: string;
      readonly body: string;
    }
  /** It arrives, and something else than the provider's answer comes back. */
  | {
      readonly kind: "answer replaced";
      readonly status: number;
      readonly type: string;
      readonly body: string;
    }
  /** Half of the answer comes back, and says that it is whole. */
  | { readonly kind: "answer cut" }
  /** It arrives twice at once. The second answer comes back. */
  | { readonly kind: "sent twice" }
  /** It arrives when `release` is called, or is lost by `drop`. */
  | { readonly kind: "held" }
  /** It arrives and is answered; the answer comes back when `release` is called, or is lost by `drop`. */
  | { readonly kind: "answer held" };

export interface PlannedFault {
  /** Resolves when a request met it. */
  readonly met: Promise<void>;
  /** Lets a held request or answer go on. */
  release(): void;
  /** Loses a held request or answer. */
  drop(): void;
  /** No further request meets it. */
  end(): void;
}

export interface FaultProxy {
  readonly origin: string;
  readonly accountsOrigin: string;
  /** The next `times` requests whose path begins so meet this fault. */
  plan(path: string, fault: Fault, times?: number): PlannedFault;
  /** How many planned faults no request has met yet. */
  pending(): number;
  /** While true nobody is there. */
  setDown(isDown: boolean): void;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** On a socket that was used before, a browser sends a request again by itself, and nobody would see the fault. */
const ONE_CONVERSATION = { connection: "close" };

/** A provider that is known by the proxy's addresses only. Closing it closes the proxy too. */
export async function startProviderBehindProxy(
  options: ProviderOptions = {},
): Promise<{ provider: RunningProvider; proxy: FaultProxy }> {
  const port = await findFreePort();
  const proxy = await startFaultProxy(port);
  const { origin, accountsOrigin } = proxy;
  try {
    const provider = await startProvider({
      ...options,
      port,
      environment: {
        ...options.environment,
        TUPPENCE_PORT: String(port),
        TUPPENCE_ORIGIN: origin,
        TUPPENCE_ACCOUNTS_ORIGIN: accountsOrigin,
      },
    });
    const close = async () => {
      await proxy.close();
      await provider.close();
    };
    return { provider: { ...provider, origin, accountsOrigin, close }, proxy };
  } catch (error) {
    await proxy.close();
    throw error;
  }
}

export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  const plans: {
    path: string;
    fault: Fault;
    left: number;
    meet: () => void;
    go: Promise<"release" | "drop">;
  }[] = [];
  let isDown = false;

  const server = createServer(async (incoming, outgoing): Promise<unknown> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { method = "GET", url = "/", headers } = incoming;
    const forward = () => exchange(targetPort, method, url, headers, Buffer.concat(chunks));
    const give = ({ status, headers: answered, body }: Answer) =>
      outgoing.writeHead(status, { ...answered, ...ONE_CONVERSATION }).end(body);
    const lose = () => outgoing.destroy();
    if (isDown) return lose();
    const plan = plans.find(({ path, left }) => left > 0 && url.startsWith(path));
    try {
      if (!plan) return give(await forward());
      plan.left -= 1;
      const { fault } = plan;
      if (fault.kind === "answered by another") {
        plan.meet();
        return give(madeUp(fault));
      }
      if (fault.kind === "request lost") {
        plan.meet();
        return lose();
      }
      if (fault.kind === "held") {
        plan.meet();
        return (await plan.go) === "drop" ? lose() : give(await forward());
      }
      const answers = await Promise.all(fault.kind === "sent twice" ? [forward(), forward()] : [forward()]);
      const answer = answers.at(-1);
      plan.meet();
      if (answer === undefined || fault.kind === "answer lost") return lose();
      if (fault.kind === "answer held") return (await plan.go) === "drop" ? lose() : give(answer);
      if (fault.kind === "answer replaced") return give(madeUp(fault));
      if (fault.kind === "sent twice") return give(answer);
      const body = answer.body.subarray(0, Math.floor(answer.body.length / 2));
      return give({ ...answer, headers: { ...answer.headers, "content-length": String(body.length) }, body });
    } catch {
      return lose();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");

  return {
    origin: `http://127.0.0.1:${address.port}`,
    accountsOrigin: `http://localhost:${address.port}`,
    plan(path, fault, times = 1) {
      const met = Promise.withResolvers<void>();
      const go = Promise.withResolvers<"release" | "drop">();
      const plan = { path, fault, left: times, meet: met.resolve, go: go.promise };
      plans.push(plan);
      return {
        met: met.promise,
        release: () => go.resolve("release"),
        drop: () => go.resolve("drop"),
        end: () => {
          plan.left = 0;
        },
      };
    },
    pending: () => plans.reduce((sum, { left }) => sum + left, 0),
    setDown(value) {
      isDown = value;
      if (value) server.closeAllConnections();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function exchange(
  port: number,
  method: string,
  path: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // `Host` stays: by it the provider tells its two origins apart.
    const outgoing = makeRequest(
      { host: "127.0.0.1", port, method, path, headers, agent: false },
      async (answer) => {
        try {
          const chunks: Buffer[] = [];
          for await (const chunk of answer) chunks.push(chunk);
          const { connection: _connection, "transfer-encoding": _encoding, ...kept } = answer.headers;
          resolve({ status: answer.statusCode ?? 502, headers: kept, body: Buffer.concat(chunks) });
        } catch (error) {
          reject(error);
        }
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function madeUp({ status, type, body }: { status: number; type: string; body: string }): Answer {
  return { status, headers: { "content-type": type }, body: Buffer.from(body) };
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createSocketServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === "string") reject(new Error("no free port"));
        else resolve(address.port);
      });
    });
  });
}
