/** What the commands need to know of the provider. */
import { readFile } from "node:fs/promises";
import * as v from "valibot";
import type { makeOffer } from "../../shared/offer.ts";
import {
  Inclusion,
  Jwks,
  MerchantResponse,
  Problem,
  ProviderInfo,
  SignedRootResponse,
} from "../../shared/protocol/provider.ts";
import { VerifyResponse } from "../../shared/protocol/x402.ts";
import { CommandError } from "./problem.ts";

const ANSWER_MS = 10_000;

export type Fetch = typeof fetch;

/** @throws CommandError where nobody answers, or not a provider does */
export async function fetchProvider(origin: string, request: Fetch): Promise<ProviderInfo> {
  const info = v.safeParse(ProviderInfo, await fetchJson(`${origin}/.well-known/tuppence.json`, request));
  if (!info.success) throw new CommandError(`${origin} answers, but it is not a Tuppence provider.`);
  if (info.output.origin !== origin) {
    throw new CommandError(
      `${origin} calls itself ${info.output.origin}: give that address, because wallets compare it letter by letter.`,
    );
  }
  return info.output;
}

/**
 * What it said of itself, from a file with the answer of its `/.well-known/tuppence.json`: for a build that asks nobody.
 * @throws CommandError where it is no such answer, or another provider's
 */
export async function readProviderFile(path: string, origin: string): Promise<ProviderInfo> {
  const text = await readFile(path, "utf8").catch(() => {
    throw new CommandError(`${path} cannot be read. Fetch it once: ${origin}/.well-known/tuppence.json`);
  });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  const info = v.safeParse(ProviderInfo, parsed);
  if (!info.success)
    throw new CommandError(`${path} is not what ${origin}/.well-known/tuppence.json answers.`);
  if (info.output.origin !== origin)
    throw new CommandError(`${path} is of the provider ${info.output.origin}, and --provider is ${origin}.`);
  return info.output;
}

/** The merchant's record to keep in the pages, which saves the wallet a question; undefined where it cannot be had now. */
export async function fetchMerchantRecord(
  origin: string,
  merchant: string,
  request: Fetch,
): Promise<string | undefined> {
  const answer = await fetchJson(`${origin}/merchants/${merchant}`, request).catch(() => undefined);
  const response = v.safeParse(MerchantResponse, answer);
  return response.success ? response.output.merchantRecord : undefined;
}

/** The keys with which it signs. */
export async function fetchKeys(origin: string, request: Fetch): Promise<Jwks> {
  const jwks = v.safeParse(Jwks, await fetchJson(`${origin}/.well-known/jwks.json`, request));
  if (!jwks.success) throw new CommandError(`${origin} publishes no keys.`);
  return jwks.output;
}

/** The root of a statement as it is published for everyone; undefined where the provider says that there is none. */
export async function fetchPublishedRoot(
  origin: string,
  { merchant, number }: { readonly merchant: string; readonly number: number },
  request: Fetch,
): Promise<string | undefined> {
  const answer = await fetchJson(`${origin}/merchants/${merchant}/settlements/${number}`, request);
  const response = v.safeParse(SignedRootResponse, answer);
  if (response.success) return response.output.signedRoot;
  const problem = v.safeParse(Problem, answer);
  if (problem.success && problem.output.code === "settlement_unknown") return undefined;
  throw new CommandError(
    `The provider does not say which root it publishes for ${merchant}-${number}: ${problem.success ? problem.output.title : "its answer cannot be read."} Try again later, or use --keys.`,
  );
}

/** @throws CommandError with what the provider says, where it has none */
export async function fetchInclusion(origin: string, paymentId: string, request: Fetch): Promise<Inclusion> {
  const answer = await fetchJson(`${origin}/payments/${paymentId}/inclusion`, request);
  const inclusion = v.safeParse(Inclusion, answer);
  if (inclusion.success) return inclusion.output;
  const problem = v.safeParse(Problem, answer);
  throw new CommandError(
    `The provider proves nothing: ${(problem.success ? problem.output.title : undefined) ?? "its answer cannot be read."}`,
  );
}

/** A coin that nobody has: what the provider says of everything else comes before it looks at coins. */
const NO_COIN = {
  amount: 1_000,
  id: "0000000000000000",
  secret: "none",
  C: "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
};
const REFUSALS: Readonly<Record<string, string>> = {
  seal_invalid:
    "The provider does not take seals of this key for this merchant: register the key that --make-key printed.",
  seal_mismatch:
    "The provider reads other terms in the seal than were written: is --provider the one that will be paid?",
  seal_outdated:
    "The provider no longer takes seals of today for this merchant: its sealsValidFrom lies in the future.",
  merchant_unknown: "The provider does not know this merchant: check --merchant, or register first.",
  currency_unknown: "The provider takes another currency.",
};

/**
 * Lets the provider judge a finished offer, so that a key which is not registered is found now and not by the first
 * reader. `/x402/verify` changes nothing.
 */
export async function checkOffer(
  origin: string,
  offer: ReturnType<typeof makeOffer>,
  request: Fetch,
): Promise<void> {
  const [accepted] = offer.accepts;
  const payload = {
    paymentId: "0".repeat(32),
    proofs: [NO_COIN],
    holder: "A".repeat(43),
    refundHash: "0".repeat(64),
  };
  const paymentPayload = { x402Version: 2, resource: offer.resource, accepted, payload };
  const answer = await fetchJson(`${origin}/x402/verify`, request, {
    x402Version: 2,
    paymentPayload,
    paymentRequirements: accepted,
  });
  const verdict = v.safeParse(VerifyResponse, answer);
  const refusal =
    verdict.success && verdict.output.invalidReason ? REFUSALS[verdict.output.invalidReason] : undefined;
  if (refusal) throw new CommandError(refusal);
}

/** @throws CommandError where it is no address of a provider */
export function providerOrigin(text: string): string {
  const origin = URL.canParse(text) ? new URL(text).origin : "null";
  if (!/^https?:/.test(origin))
    throw new CommandError(`--provider ${text} is not an address such as https://pay.example.`);
  return origin;
}

async function fetchJson(address: string, request: Fetch, body?: object): Promise<unknown> {
  const sent = body && {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  try {
    const response = await request(address, { ...sent, signal: AbortSignal.timeout(ANSWER_MS) });
    return await response.json();
  } catch (error) {
    throw new CommandError(
      `The provider cannot be reached at ${address} (${error instanceof Error ? error.message : error}). Is it running, and is the address right?`,
    );
  }
}
