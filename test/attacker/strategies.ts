/**
 * The attacker's ways to tell whose payment it was, each by itself, so that a find has a name. A way may use whatever the
 * provider receives and stores, but for two things that remain and are said to readers (docs/PRIVACY.md): the address that a
 * request comes from, and that something happens at the moment at which a reader does it. What the wallet itself does
 * around a payment, before or after it, is fair game.
 *
 * A way gives payments to accounts, and leaves out those of which it knows nothing. `proves` says that one payment given
 * is a find, because no chance leads to it; the others are judged by how often they are right (`chance.ts`).
 */
import { createHash, createHmac } from "node:crypto";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { yOf } from "../../wallet/core/cashu.ts";
import type { AccountSeen, Evidence, PaymentSeen } from "./evidence.ts";
import type { Exchange } from "./record.ts";
import { tokensOf } from "./tokens.ts";

/** Payment id → account id. */
export type Assignment = ReadonlyMap<string, string>;

export interface Strategy {
  readonly name: string;
  readonly proves: boolean;
  readonly assign: (evidence: Evidence) => Assignment;
}

export const STRATEGIES: readonly Strategy[] = [
  { name: "the same bytes on both sides", proves: true, assign: bySharedBytes },
  { name: "a chain of bytes", proves: true, assign: byChain },
  { name: "a proof that unblinds", proves: true, assign: byDleq },
  { name: "an id that can be computed", proves: true, assign: byDerivedIds },
  { name: "a connection that carries both", proves: true, assign: byConnection },
  { name: "headers", proves: true, assign: byHeaders },
  { name: "how many coins were asked about", proves: false, assign: byCounts },
  {
    name: "the account call before it",
    proves: false,
    assign: (seen) => byNearestCall(seen, "before", callsOf),
  },
  {
    name: "the account call after it",
    proves: false,
    assign: (seen) => byNearestCall(seen, "after", callsOf),
  },
  {
    name: "the withdraw before it",
    proves: false,
    assign: (seen) => byNearestCall(seen, "before", withdrawsOf),
  },
  {
    name: "the withdraw after it",
    proves: false,
    assign: (seen) => byNearestCall(seen, "after", withdrawsOf),
  },
  { name: "a withdraw of its amount", proves: false, assign: byAmount },
  { name: "a withdraw of what was spent", proves: false, assign: bySums },
  { name: "a withdraw of the coins that were spent", proves: false, assign: byDenominations },
];

function bySharedBytes(seen: Evidence): Assignment {
  const owners = ownersOf(seen, ({ exchanges }) => tokensAcross(seen, exchanges));
  const rows = rowTokens(seen);
  return assign(seen, (payment) => {
    const stored = rows.filter((tokens) => tokens.has(payment.id)).flatMap((tokens) => [...tokens]);
    return pointedAt([...tokensAcross(seen, [payment.settled, ...payment.own]), ...stored], owners);
  });
}

/** Requests and rows that share a rare string are one reader's; and so on, from one to the next. */
function byChain(seen: Evidence): Assignment {
  return byGroups(seen, groupsOf(seen, { connections: false }));
}

/** `B_ = Y + r·G`: whoever gives `r` away shows which withdraw the coin came from. */
function byDleq(seen: Evidence): Assignment {
  const owners = ownersOf(seen, ({ withdraws }) => withdraws.flatMap(({ outputs }) => outputs));
  return assign(seen, ({ coins }) =>
    pointedAt(
      coins.flatMap(({ secret, dleq }) => {
        const r = dleq && BigInt(`0x${dleq.r}`);
        if (r === undefined || r <= 0n || r >= secp256k1.Point.Fn.ORDER) return [];
        return [secp256k1.Point.fromHex(yOf(secret)).add(secp256k1.Point.BASE.multiply(r)).toHex(true)];
      }),
      owners,
    ),
  );
}

/** The usual mistakes: a hash of what the provider knows of the account, and a number. */
function byDerivedIds(seen: Evidence): Assignment {
  const MOST_NUMBERS = 64;
  const owners = ownersOf(seen, ({ id, calls }) => {
    const known = [id, ...tokensAcross(seen, calls.slice(0, 1))].slice(0, 8);
    return known.flatMap((secret) =>
      Array.from({ length: MOST_NUMBERS }, (_, number) => [
        createHash("sha256").update(`${secret}${number}`).digest("hex"),
        createHash("sha256").update(`${secret}:${number}`).digest("hex"),
        createHmac("sha256", secret).update(String(number)).digest("hex"),
      ]).flat(),
    );
  });
  const cut = new Map(
    [...owners].flatMap(
      ([token, ids]) =>
        [
          [token, ids],
          [token.slice(0, 32), ids],
        ] as const,
    ),
  );
  return assign(seen, ({ text }) => pointedAt([...tokensOf([text])], cut));
}

function byConnection(seen: Evidence): Assignment {
  return byGroups(seen, groupsOf(seen, { connections: true }));
}

function byHeaders(seen: Evidence): Assignment {
  const owners = ownersOf(seen, ({ exchanges }) => exchanges.flatMap(marksOf));
  return assign(seen, ({ own }) => pointedAt(own.flatMap(marksOf), owners));
}

/** How many coins a restored wallet asks about at once. */
const PIECE = 50;

/** As many coins are asked about as an account was given. */
function byCounts(seen: Evidence): Assignment {
  const owners = ownersOf(seen, ({ withdraws }) => {
    const all = sum(withdraws.map(({ outputs }) => outputs.length));
    return [all, all % PIECE].map(String);
  });
  const groups = groupsOf(seen, { connections: true });
  const asked = new Map<number, string[]>();
  for (const exchange of seen.record.exchanges) {
    if (exchange.side !== "anonymous" || exchange.path !== "/v1/checkstate") continue;
    const group = groups.of(exchange);
    asked.set(group, [
      ...(asked.get(group) ?? []),
      String(exchange.body.split('"').filter((part) => /^0[23][0-9a-f]{64}$/.test(part)).length),
    ]);
  }
  return assign(seen, ({ own }) =>
    pointedAt(
      [...new Set(own.map(groups.of))].flatMap((group) => asked.get(group) ?? []),
      owners,
    ),
  );
}

/** The wallet looks at its account, or withdraws, because of what it just did, or is about to do. */
const AROUND_MS = 3_600_000;

function byNearestCall(
  seen: Evidence,
  where: "before" | "after",
  momentsOf: (account: AccountSeen) => readonly number[],
): Assignment {
  return assign(seen, ({ at }) => {
    let nearest: { readonly id: string; readonly distance: number } | undefined;
    for (const account of seen.accounts)
      for (const moment of momentsOf(account)) {
        const distance = where === "before" ? at - moment : moment - at;
        if (distance < 0 || distance > AROUND_MS) continue;
        if (!nearest || distance < nearest.distance) nearest = { id: account.id, distance };
      }
    return nearest?.id;
  });
}

function callsOf({ calls }: AccountSeen): number[] {
  return calls.map(({ at }) => at);
}

function withdrawsOf({ withdraws }: AccountSeen): number[] {
  return withdraws.map(({ at }) => at);
}

function byAmount(seen: Evidence): Assignment {
  return assign(seen, ({ amount, at }) => {
    const equal = seen.accounts.flatMap(({ id, withdraws }) =>
      withdraws
        .filter(({ amounts }) => sum(amounts) === amount)
        .map((one) => ({ id, distance: Math.abs(one.at - at) })),
    );
    return equal.sort((a, b) => a.distance - b.distance)[0]?.id;
  });
}

/** A withdraw refills what was spent since the one before it: whose payments add up to it? */
function bySums(seen: Evidence): Assignment {
  const MOST_PARTS = 5;
  const assignment = new Map<string, string>();
  for (const { id, withdraws } of seen.accounts)
    for (const [index, { at, amounts }] of withdraws.entries()) {
      const since = withdraws[index - 1]?.at;
      if (since === undefined) continue;
      const between = seen.payments.filter((payment) => payment.at > since && payment.at < at);
      const parts = partsOf(sum(amounts), between, MOST_PARTS);
      for (const payment of parts ?? []) assignment.set(payment.id, id);
    }
  return assignment;
}

/** The newest payments that add up to it, if any few do. */
function partsOf(total: number, payments: readonly PaymentSeen[], most: number): PaymentSeen[] | undefined {
  const newest = payments.toSorted((a, b) => b.at - a.at).slice(0, 24);
  const search = (from: number, left: number, room: number): PaymentSeen[] | undefined => {
    if (left === 0) return [];
    if (left < 0 || room === 0) return undefined;
    for (let index = from; index < newest.length; index++) {
      const payment = newest[index];
      const rest = payment && search(index + 1, left - payment.amount, room - 1);
      if (payment && rest) return [payment, ...rest];
    }
    return undefined;
  };
  return search(0, total, most);
}

/** A withdraw refills the kinds of coins that were spent since the one before it: whose is the first that has them all? */
function byDenominations(seen: Evidence): Assignment {
  return assign(seen, ({ at, coins }) => {
    const refills = seen.accounts.flatMap(({ id, withdraws }) => {
      const index = withdraws.findIndex((withdraw) => withdraw.at > at);
      const next = withdraws[index];
      // The first one refills nothing.
      if (index < 1 || !next || !coins.every(({ amount }) => next.amounts.includes(amount))) return [];
      return [{ id, at: next.at }];
    });
    return refills.sort((a, b) => a.at - b.at)[0]?.id;
  });
}

// What several of them use

function assign(seen: Evidence, guess: (payment: PaymentSeen) => string | undefined): Assignment {
  return new Map(
    seen.payments.flatMap((payment) => {
      const id = guess(payment);
      return id === undefined ? [] : [[payment.id, id] as const];
    }),
  );
}

/** By what each account shows: the accounts that show it. */
function ownersOf(
  { accounts }: Evidence,
  showsOf: (account: AccountSeen) => Iterable<string>,
): Map<string, ReadonlySet<string>> {
  const owners = new Map<string, Set<string>>();
  for (const account of accounts)
    for (const shown of showsOf(account)) {
      const ids = owners.get(shown) ?? new Set();
      owners.set(shown, ids.add(account.id));
    }
  return owners;
}

/** The account to which most of these point that not everybody shows; undefined where two are as likely. */
function pointedAt(
  shown: Iterable<string>,
  owners: ReadonlyMap<string, ReadonlySet<string>>,
): string | undefined {
  const points = new Map<string, number>();
  for (const one of new Set(shown)) {
    const ids = owners.get(one);
    if (ids?.size === 1) for (const id of ids) points.set(id, (points.get(id) ?? 0) + 1);
  }
  const [first, second] = [...points].sort((a, b) => b[1] - a[1]);
  return first && first[1] > (second?.[1] ?? 0) ? first[0] : undefined;
}

function tokensAcross({ tokens }: Evidence, exchanges: readonly Exchange[]): string[] {
  return exchanges.flatMap(({ number }) => [...(tokens.get(number) ?? [])]);
}

function rowTokens({ record, isPublic }: Evidence): Set<string>[] {
  return record.rows.map(
    ({ values }) =>
      new Set([...tokensOf(Object.values(values).map(textOf))].filter((token) => !isPublic(token))),
  );
}

function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return String(value);
}

/** Headers with their values, their order, and their absence. */
function marksOf({ headers, method }: Exchange): string[] {
  const told = headers.filter(
    ([name]) => !["host", "authorization", "content-length"].includes(name.toLowerCase()),
  );
  return [
    ...told.map(([name, value]) => `${name}: ${value}`),
    `${method} with ${told.map(([name]) => name).join(", ")}`,
  ];
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}

// Groups of requests that belong together

interface Groups {
  of(exchange: Exchange): number;
  readonly accountsIn: ReadonlyMap<number, ReadonlySet<string>>;
}

/** Sixteen bytes that are the same twice are no coincidence. */
const RARE = /^[0-9a-f]{32,}$/;

export function groupsOf(seen: Evidence, { connections }: { readonly connections: boolean }): Groups {
  const parents: number[] = seen.record.exchanges.map((_, index) => index);
  const root = (index: number): number => {
    let at = index;
    while (parents[at] !== undefined && parents[at] !== at) at = parents[at] ?? at;
    parents[index] = at;
    return at;
  };
  const join = (a: number, b: number): void => {
    parents[root(a)] = root(b);
  };
  const owners = ownersOf(seen, ({ exchanges }) => tokensAcross(seen, exchanges));
  /** What two accounts show is nobody's, such as the hash of an empty body. */
  const isRare = (token: string) => RARE.test(token) && (owners.get(token)?.size ?? 0) < 2;
  const indexes = new Map(seen.record.exchanges.map(({ number }, index) => [number, index]));
  const firsts = new Map<string, number>();
  const meet = (mark: string, index: number): void => {
    const first = firsts.get(mark);
    if (first === undefined) firsts.set(mark, index);
    else join(first, index);
  };
  for (const [index, exchange] of seen.record.exchanges.entries()) {
    for (const token of seen.tokens.get(exchange.number) ?? []) if (isRare(token)) meet(token, index);
    // A site's or a gateway's connection carries many readers'.
    if (connections && isReaders(seen, exchange)) meet(`connection ${exchange.connection}`, index);
  }
  // A stored row is one more thing that two requests may both stand in.
  for (const row of rowTokens(seen)) {
    const standing = [...row].flatMap((token) => (isRare(token) ? (firsts.get(token) ?? []) : []));
    for (const index of standing) if (standing[0] !== undefined) join(standing[0], index);
  }
  const of = ({ number }: Exchange) => root(indexes.get(number) ?? -1);
  const accountsIn = new Map<number, Set<string>>();
  for (const { id, exchanges } of seen.accounts)
    for (const exchange of exchanges) {
      const group = of(exchange);
      accountsIn.set(group, (accountsIn.get(group) ?? new Set()).add(id));
    }
  return { of, accountsIn };
}

function isReaders({ record }: Evidence, { body, path }: Exchange): boolean {
  return !record.opened.has(body) && !path.startsWith("/gateways/") && path !== "/x402/verify";
}

function byGroups(seen: Evidence, { of, accountsIn }: Groups): Assignment {
  return assign(seen, ({ own, settled }) => {
    const accounts = new Set(
      [settled, ...own].flatMap((exchange) => [...(accountsIn.get(of(exchange)) ?? [])]),
    );
    return accounts.size === 1 ? [...accounts][0] : undefined;
  });
}
