/**
 * What a provider can know: every request as it arrived at either of its origins, with the connection that it came over, its
 * moment and its answer; and every row that it stores. It says nowhere who sent what: finding that out is the attack.
 */
import { Agent, createServer, type IncomingMessage, request as makeRequest } from "node:http";
import type { Socket } from "node:net";
import { DatabaseSync } from "node:sqlite";

export interface Exchange {
  readonly number: number;
  /** Milliseconds since 1970, by the provider's clock. */
  readonly at: number;
  readonly side: "accounts" | "anonymous";
  readonly connection: number;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** As they came, in their order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly status: number;
  readonly answer: string;
}

export interface StoredRow {
  readonly table: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface ProviderRecord {
  readonly exchanges: readonly Exchange[];
  readonly rows: readonly StoredRow[];
  /** What sites publish: anybody can read it, so it points at nobody. */
  readonly published: readonly string[];
  /** Payments that came sealed, as the provider opens them: body of the request → the payment's JSON. */
  readonly opened: ReadonlyMap<string, string>;
}

export interface Tap {
  readonly origin: string;
  readonly accountsOrigin: string;
  /** All that arrived since the last call, in the order in which it arrived. */
  take(): Exchange[];
  /** Requests that are not answered yet. */
  underWay(): number;
  close(): Promise<void>;
}

/**
 * Stands in front of a provider that knows itself by the tap's two origins, and passes everything on. Towards clients
 * it keeps connections open as the provider does, because a connection that carries both sides would join them.
 */
export async function openTap(providerPort: number, nowMs: () => number): Promise<Tap> {
  const exchanges: Exchange[] = [];
  const connections = new WeakMap<Socket, number>();
  const agent = new Agent({ keepAlive: true });
  let connectionCount = 0;
  let requestCount = 0;
  let underWay = 0;
  const server = createServer({ keepAliveTimeout: 65_000 }, async (incoming, outgoing) => {
    const at = nowMs();
    const number = requestCount++;
    underWay += 1;
    try {
      const body = await readAll(incoming);
      const { status, headers, text } = await forward(agent, providerPort, incoming, body);
      exchanges.push({
        number,
        at,
        side: (incoming.headers.host ?? "").startsWith("localhost") ? "accounts" : "anonymous",
        connection: connections.get(incoming.socket) ?? -1,
        method: incoming.method ?? "",
        path: incoming.url ?? "",
        headers: pairs(incoming.rawHeaders),
        body,
        status,
        answer: text,
      });
      outgoing.writeHead(status, headers).end(text);
    } catch {
      outgoing.destroy();
    } finally {
      underWay -= 1;
    }
  });
  server.on("connection", (socket) => connections.set(socket, connectionCount++));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the tap has no port");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    accountsOrigin: `http://localhost:${address.port}`,
    take: () => exchanges.splice(0).sort((a, b) => a.number - b.number),
    underWay: () => underWay,
    close: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Every row of every table. */
export function readRows(databaseFile: string): StoredRow[] {
  const database = new DatabaseSync(databaseFile, { readOnly: true });
  try {
    const tables = database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .all()
      .map(({ name }) => String(name));
    return tables.flatMap((table) =>
      database
        .prepare(`SELECT * FROM "${table}"`)
        .all()
        .map((values) => ({ table, values: { ...values } })),
    );
  } finally {
    database.close();
  }
}

async function readAll(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** `Host` stays: by it the provider tells its two origins apart. */
function forward(
  agent: Agent,
  port: number,
  { method, url, headers }: IncomingMessage,
  body: string,
): Promise<{ status: number; headers: Record<string, string | string[]>; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = makeRequest({ host: "127.0.0.1", port, method, path: url, headers, agent }, (answer) => {
      readAll(answer).then((text) => {
        const { connection: _, "keep-alive": __, "transfer-encoding": ___, ...kept } = answer.headers;
        const given = Object.entries(kept).filter(
          (entry): entry is [string, string | string[]] => entry[1] !== undefined,
        );
        resolve({ status: answer.statusCode ?? 502, headers: Object.fromEntries(given), text });
      }, reject);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function pairs(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, raw[index + 1] ?? ""]] : [],
  );
}
