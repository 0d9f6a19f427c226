/**
 * Withdraws over HTTP, as the wallet makes them: a quote in the account's name, then the coins of a full drawer, signed for
 * with the quote's key. Both requests of all count.
 */
import { randomBytes } from "node:crypto";
import { createAccount } from "../server/accounts/store.ts";
import { GATEWAY_CLEARING, readerAccount } from "../server/ledger/accounts.ts";
import { deriveId } from "../server/ledger/ids.ts";
import { sha256, toBase64url, toHex } from "../shared/bytes.ts";
import { type SigningKey, signingKeyFromSeed, signJws, thumbprintOf } from "../shared/jws.ts";
import { add, type Micros, micros } from "../shared/money.ts";
import type { BlindedMessageJson } from "../shared/protocol/cashu.ts";
import { quotePublicKey, signQuote } from "../wallet/core/cashu.ts";
import { composeCoins, WITHDRAWN_AT_ONCE } from "../wallet/core/drawer.ts";
import type { Load } from "./load.ts";
import { blanks, type PreparedProvider } from "./payments.ts";
import { type Running, sendLoad } from "./process.ts";

const CONNECTIONS = 64;
const ACCOUNTS = 50;
const WARM_UP = 100;
const WITHDRAWS = 300;
const QUOTE_PATH = "/v1/mint/quote/account";
const DRAWER = composeCoins(WITHDRAWN_AT_ONCE, []);

export interface WithdrawFigures {
  readonly coinsPerSecond: number;
  readonly coinsEach: number;
}

export async function measureWithdraws(
  prepared: PreparedProvider,
  provider: Running,
): Promise<WithdrawFigures> {
  const readers = await Promise.all(Array.from({ length: ACCOUNTS }, () => openReader(prepared)));
  await withdraw(prepared, provider, readers, WARM_UP);
  const seconds = await withdraw(prepared, provider, readers, WITHDRAWS);
  return { coinsPerSecond: (WITHDRAWS * DRAWER.length) / seconds, coinsEach: DRAWER.length };
}

interface Reader {
  readonly id: string;
  readonly key: SigningKey;
}

/** With money enough, and final, for all that is withdrawn. */
async function openReader({ deps }: PreparedProvider): Promise<Reader> {
  const key = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
  const id = await thumbprintOf(key.publicJwk);
  await createAccount(deps.database, id, Date.now());
  const { status } = await deps.ledger.apply({
    id: deriveId("bench top-up", id),
    fingerprint: id,
    transfers: [
      {
        id: deriveId("bench top-up transfer", id),
        debit: GATEWAY_CLEARING,
        credit: readerAccount(id),
        amount: micros(add(...DRAWER) * BigInt(WARM_UP + WITHDRAWS)),
        code: "top_up",
        reference: id,
      },
    ],
    records: [],
  });
  if (status !== "committed") throw new Error(`a top-up was ${status}`);
  return { id, key };
}

/** How long it took, in seconds. */
async function withdraw(
  { accountsOrigin, deps }: PreparedProvider,
  { address }: Running,
  readers: readonly Reader[],
  count: number,
): Promise<number> {
  const { mint } = deps;
  const quotes: { body: string; authorization: string }[] = [];
  const mints: string[] = [];
  for (let index = 0; index < count; index++) {
    const reader = readers[index % readers.length];
    if (!reader) throw new RangeError("no readers");
    const quoteKey = toHex(randomBytes(32));
    const pubkey = quotePublicKey(quoteKey);
    const body = JSON.stringify({ amount: Number(add(...DRAWER)), unit: mint.unit, pubkey });
    quotes.push({ body, authorization: await authorize(accountsOrigin, reader.key, body) });
    const quote = deriveId("mint quote", reader.id, pubkey);
    const outputs = DRAWER.map((amount) => output(amount, mint.activeKeysetId()));
    mints.push(JSON.stringify({ quote, outputs, signature: signQuote(quoteKey, quote, outputs) }));
  }
  const load = {
    method: "POST",
    headers: { "content-type": "application/json", host: new URL(accountsOrigin).host },
    connections: CONNECTIONS,
  } as const;
  const asked: Load = {
    ...load,
    url: address + QUOTE_PATH,
    bodies: quotes.map(({ body }) => body),
    ownHeaders: quotes.map(({ authorization }) => ({ authorization })),
    expected: '"PAID"',
  };
  const given: Load = { ...load, url: `${address}/v1/mint/account`, bodies: mints, expected: '"signatures"' };
  let seconds = 0;
  for (const one of [asked, given]) seconds += one.bodies.length / (await sendLoad(one)).perSecond;
  return seconds;
}

function output(amount: Micros, keysetId: string): BlindedMessageJson {
  const [blank] = blanks(1, amount, keysetId);
  if (!blank) throw new Error("a blank");
  return blank;
}

async function authorize(accountsOrigin: string, key: SigningKey, body: string): Promise<string> {
  const claims = {
    aud: accountsOrigin,
    htm: "POST",
    htu: QUOTE_PATH,
    body: toBase64url(await sha256(body)),
    iat: Math.floor(Date.now() / 1_000),
  };
  return `Bearer ${await signJws("tuppence-account+jwt", claims, key, "jwk")}`;
}
