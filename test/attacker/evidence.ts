/**
 * The record, read as a provider can read it: which account asked what, which payments there are, and what else arrived
 * that belongs to neither yet. Every strategy (`strategies.ts`) starts from this.
 */
import { createHash } from "node:crypto";
import * as v from "valibot";
import type { Exchange, ProviderRecord } from "./record.ts";
import { tokensOf } from "./tokens.ts";

export interface Evidence {
  readonly record: ProviderRecord;
  readonly accounts: readonly AccountSeen[];
  readonly payments: readonly PaymentSeen[];
  /** Tokens of each exchange, by its number, without what is public. */
  readonly tokens: ReadonlyMap<number, ReadonlySet<string>>;
  /** Tokens that point at nobody: published, or told to everyone who asks. */
  readonly isPublic: (token: string) => boolean;
}

export interface AccountSeen {
  readonly id: string;
  /** What it signed, and what follows from that: its top-ups' pages and events. */
  readonly exchanges: readonly Exchange[];
  /** Of which the account's own token came along. */
  readonly calls: readonly Exchange[];
  readonly withdraws: readonly WithdrawSeen[];
}

export interface WithdrawSeen {
  readonly exchange: Exchange;
  readonly at: number;
  readonly amounts: readonly number[];
  readonly outputs: readonly string[];
}

export interface PaymentSeen {
  readonly id: string;
  /** When its coins came. */
  readonly at: number;
  readonly amount: number;
  readonly coins: readonly CoinSeen[];
  /** All of the payment, opened where it came sealed. */
  readonly text: string;
  /** Brought by the reader's own wallet: settles that were not sealed, look-ups, refunds. */
  readonly own: readonly Exchange[];
  readonly settled: Exchange;
}

export interface CoinSeen {
  readonly amount: number;
  readonly secret: string;
  readonly dleq: { readonly r: string } | undefined;
}

const Settle = v.looseObject({
  paymentPayload: v.looseObject({
    payload: v.looseObject({}),
    accepted: v.looseObject({ amount: v.string() }),
  }),
});
const PaymentText = v.looseObject({
  paymentId: v.string(),
  proofs: v.array(
    v.looseObject({
      amount: v.number(),
      secret: v.string(),
      dleq: v.optional(v.looseObject({ r: v.string() })),
    }),
  ),
});
const TopUp = v.looseObject({ id: v.string() });
const Mint = v.looseObject({ outputs: v.array(v.looseObject({ amount: v.number(), B_: v.string() })) });
const TokenHeader = v.looseObject({
  jwk: v.looseObject({ kty: v.string(), crv: v.string(), x: v.string() }),
});

export function readEvidence(record: ProviderRecord): Evidence {
  const publicTokens = publicOf(record);
  const isPublic = (token: string) => publicTokens.has(token);
  const tokens = new Map(
    record.exchanges.map((exchange) => [
      exchange.number,
      new Set([...tokensIn(exchange, record.opened)].filter((token) => !isPublic(token))),
    ]),
  );
  return { record, accounts: readAccounts(record), payments: readPayments(record), tokens, isPublic };
}

/** What is said to everyone, in answer to a question that names nobody, and what stands in sites' pages. */
function publicOf({ exchanges, published }: ProviderRecord): Set<string> {
  const told = exchanges.filter(
    ({ method, headers, path }) =>
      method === "GET" && !has(headers, "authorization") && !/topups|quote|checkout/.test(path),
  );
  return tokensOf([...published, ...told.flatMap(({ path, answer }) => [path, answer])]);
}

function tokensIn({ headers, path, body, answer }: Exchange, opened: ProviderRecord["opened"]): Set<string> {
  const own = headers
    .filter(([name]) => !HEADERS_OF_EVERYONE.includes(name.toLowerCase()))
    .map(([, value]) => value);
  return tokensOf([path, body, opened.get(body) ?? "", answer, ...own]);
}

/** Compared by `headers` in strategies.ts, whole. */
const HEADERS_OF_EVERYONE = [
  "host",
  "connection",
  "content-type",
  "content-length",
  "accept",
  "user-agent",
  "accept-encoding",
];

export function has(headers: Exchange["headers"], wanted: string): boolean {
  return headers.some(([name]) => name.toLowerCase() === wanted);
}

function readAccounts({ exchanges }: ProviderRecord): AccountSeen[] {
  const calls = new Map<string, Exchange[]>();
  for (const exchange of exchanges) {
    const id = accountOf(exchange);
    if (id !== undefined) calls.set(id, [...(calls.get(id) ?? []), exchange]);
  }
  return [...calls].map(([id, own]) => {
    const topUps = own.flatMap(({ path, method, body }) => {
      const made = method === "POST" && path === "/topups" ? v.safeParse(TopUp, json(body)) : undefined;
      return made?.success ? [made.output.id] : [];
    });
    const following = exchanges.filter(
      (exchange) =>
        exchange.side === "accounts" &&
        !own.includes(exchange) &&
        topUps.some((topUp) => exchange.path.includes(topUp) || exchange.body.includes(topUp)),
    );
    const withdraws = own.flatMap((exchange): WithdrawSeen[] => {
      const mint = exchange.path === "/v1/mint/account" ? v.safeParse(Mint, json(exchange.body)) : undefined;
      if (!mint?.success) return [];
      const { outputs } = mint.output;
      return [
        {
          exchange,
          at: exchange.at,
          amounts: outputs.map(({ amount }) => amount),
          outputs: outputs.map(({ B_ }) => B_),
        },
      ];
    });
    return { id, exchanges: [...own, ...following], calls: own, withdraws };
  });
}

/** RFC 7638. Of a call at the accounts origin only: elsewhere such a token would be the find itself. */
function accountOf({ side, headers }: Exchange): string | undefined {
  const [, token] = headers.find(([name]) => name.toLowerCase() === "authorization") ?? [];
  if (side !== "accounts" || token === undefined) return undefined;
  const head = v.safeParse(
    TokenHeader,
    json(Buffer.from(token.split(/[ .]/)[1] ?? "", "base64url").toString()),
  );
  if (!head.success) return undefined;
  const { crv, kty, x } = head.output.jwk;
  return createHash("sha256").update(JSON.stringify({ crv, kty, x })).digest("base64url");
}

function readPayments({ exchanges, opened }: ProviderRecord): PaymentSeen[] {
  const payments = new Map<string, PaymentSeen>();
  for (const exchange of exchanges) {
    if (exchange.path !== "/x402/settle") continue;
    const request = v.safeParse(Settle, json(exchange.body));
    if (!request.success) continue;
    const { payload, accepted } = request.output.paymentPayload;
    const sealed = opened.get(exchange.body);
    const text = sealed ?? JSON.stringify(payload);
    const payment = v.safeParse(PaymentText, json(text));
    if (!payment.success || payments.has(payment.output.paymentId)) continue;
    const { paymentId: id, proofs } = payment.output;
    payments.set(id, {
      id,
      at: exchange.at,
      amount: Number(accepted.amount),
      coins: proofs.map(({ amount, secret, dleq }) => ({ amount, secret, dleq })),
      text,
      own: exchanges.filter(
        (other) =>
          other.path.startsWith(`/payments/${id}`) ||
          (other.path === "/x402/settle" && !opened.has(other.body) && other.body.includes(id)),
      ),
      settled: exchange,
    });
  }
  return [...payments.values()];
}

export function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
