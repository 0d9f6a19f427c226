/** What a genuine request is made of. Whoever signs, signs what was mutated: the decoders behind a signature are to be met. */
import { createHmac } from "node:crypto";
import { SIGNATURE_HEADER } from "../../../server/gateways/events.ts";
import type { Account, World } from "./world.ts";

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly body: Uint8Array | undefined;
}

export interface Genuine {
  readonly side: "anonymous" | "accounts";
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  /** Undefined: none. */
  readonly body?: unknown;
  readonly form?: string;
  /** The headers that prove who asks. */
  readonly sign?: (sent: Sent) => Promise<Record<string, string>>;
}

export interface Endpoint {
  /** As the application's own description names it: `POST /payments/{id}`. */
  readonly route: string;
  /** Money never moves here, whatever the answer. */
  readonly readsOnly?: true;
  readonly weight?: number;
  /** Kinds of genuine requests, each of which succeeds or is refused for one good reason. */
  readonly kinds: Readonly<Record<string, () => Promise<Genuine>>>;
}

export const get =
  (side: Genuine["side"], url: string): (() => Promise<Genuine>) =>
  async () => ({ side, method: "GET", url });

export function post(
  side: Genuine["side"],
  url: string,
  body: unknown,
  sign?: NonNullable<Genuine["sign"]>,
): Genuine {
  return { side, method: "POST", url, body, ...(sign ? { sign } : {}) };
}

export const byAccount =
  (world: World, account: Account): NonNullable<Genuine["sign"]> =>
  async ({ method, url, body }) => ({
    authorization: `Bearer ${await world.token(account, method, url, body)}`,
  });

export const byOperator =
  ({ deps }: World): NonNullable<Genuine["sign"]> =>
  async () => ({ authorization: `Bearer ${deps.secrets.adminToken}` });

/** Over whatever the body is, as a gateway whose own software is broken would. */
export const byGateway =
  ({ deps, nowSeconds }: World): NonNullable<Genuine["sign"]> =>
  async ({ body }) => {
    const seconds = nowSeconds();
    const mac = createHmac("sha256", deps.secrets.gatewaySecret)
      .update(`${seconds}.`)
      .update(body ?? "")
      .digest("hex");
    return { [SIGNATURE_HEADER]: `t=${seconds},v1=${mac}` };
  };
