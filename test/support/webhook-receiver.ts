/** A merchant's endpoint for webhooks, as a merchant would write it: the stock library says whether a delivery is genuine. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Webhook } from "standardwebhooks";
import * as v from "valibot";
import { WebhookPayload } from "../../shared/protocol/webhooks.ts";

export interface Delivery {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly payload: v.InferOutput<typeof WebhookPayload>;
}

export interface WebhookReceiver {
  readonly url: string;
  /** In the order in which they came. */
  readonly deliveries: readonly Delivery[];
  /** What comes from now on is answered so: a status, or by the function, which may leave it without an answer. */
  answer: number | ((delivery: Delivery, response: ServerResponse) => void);
  close(): Promise<void>;
}

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const deliveries: Delivery[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const delivery = deliveryOf(request, body);
      deliveries.push(delivery);
      if (typeof receiver.answer === "function") receiver.answer(delivery, response);
      else response.writeHead(receiver.answer).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a receiver has a port");
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${address.port}/hooks?key=part-of-the-address`,
    deliveries,
    answer: 204,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

function deliveryOf(request: IncomingMessage, body: string): Delivery {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, `${value}`]),
  );
  return {
    id: headers["webhook-id"] ?? "",
    headers,
    body,
    payload: v.parse(WebhookPayload, JSON.parse(body)),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** Whether the stock library takes it, which compares the time with this machine's clock. */
export function isGenuine({ headers, body }: Pick<Delivery, "headers" | "body">, secret: string): boolean {
  try {
    new Webhook(secret).verify(body, { ...headers });
    return true;
  } catch {
    return false;
  }
}
