/** Genuine requests of the Cashu endpoints. */
import { randomBytes } from "node:crypto";
import { schnorr, secp256k1 } from "@noble/curves/secp256k1.js";
import * as v from "valibot";
import { hashToCurve } from "../../../server/mint/curve.ts";
import { sha256, toHex, utf8 } from "../../../shared/bytes.ts";
import { MeltQuoteResponse, MintQuoteResponse, type ProofJson } from "../../../shared/protocol/cashu.ts";
import { makeBlankCoins } from "../../support/coins.ts";
import { byAccount, type Endpoint, get, post } from "./genuine.ts";
import type { World } from "./world.ts";

const ONE_COIN = [50_000];
const MANY_COINS = [20_000, 20_000, 10_000, 5_000, 1_000];

export function coinEndpoints(world: World): Endpoint[] {
  const { shop, deps } = world;
  const outputs = (amounts: readonly number[]) =>
    makeBlankCoins(deps.mint.activeKeysetId(), amounts).map(({ output }) => output);

  const swap = async (coins: readonly number[], fresh: readonly number[]) =>
    post("anonymous", "/v1/swap", { inputs: await shop.withdraw(...coins), outputs: outputs(fresh) });

  async function quote(amount: number) {
    const account = await world.useAccount();
    const key = secp256k1.utils.randomSecretKey();
    const pubkey = toHex(secp256k1.getPublicKey(key));
    const made = await world.call(account, "POST", "/v1/mint/quote/account", {
      amount,
      unit: deps.mint.unit,
      pubkey,
    });
    return { account, key, pubkey, id: v.parse(MintQuoteResponse, made).quote };
  }

  /** By the older form of NUT-20, which needs no lengths. */
  async function withdraw(amounts: readonly number[]) {
    const { id, key } = await quote(amounts.reduce((total, amount) => total + amount, 0));
    const blanks = outputs(amounts);
    const digest = await sha256(utf8(id + blanks.map(({ B_ }) => B_).join("")));
    return post("accounts", "/v1/mint/account", {
      quote: id,
      outputs: blanks,
      signature: toHex(schnorr.sign(digest, key)),
    });
  }

  async function meltQuote(amount: number) {
    const account = await world.useAccount();
    const body = { request: account.id, unit: deps.mint.unit, amount };
    const answer = await shop.app.inject({
      method: "POST",
      url: "/v1/melt/quote/account",
      headers: { host: new URL(shop.accountsOrigin).host },
      body,
    });
    return { body, id: v.parse(MeltQuoteResponse, answer.json()).quote };
  }

  const melt = async (coins: readonly number[], change: number) =>
    post("accounts", "/v1/melt/account", {
      quote: (await meltQuote(50_000)).id,
      inputs: await shop.withdraw(...coins),
      ...(change > 0 ? { outputs: outputs(Array.from({ length: change }, () => 0)) } : {}),
    });

  const spentCoins = async (): Promise<readonly ProofJson[]> => (await shop.pay()).payment.proofs;

  return [
    { route: "GET /v1/info", readsOnly: true, kinds: { info: get("anonymous", "/v1/info") } },
    { route: "GET /v1/keysets", readsOnly: true, kinds: { keysets: get("accounts", "/v1/keysets") } },
    { route: "GET /v1/keys", readsOnly: true, kinds: { keys: get("anonymous", "/v1/keys") } },
    {
      route: "GET /v1/keys/{id}",
      readsOnly: true,
      kinds: {
        active: get("anonymous", `/v1/keys/${deps.mint.activeKeysetId()}`),
        unknown: get("anonymous", "/v1/keys/00ffffffffffffff"),
      },
    },
    {
      route: "POST /v1/swap",
      weight: 3,
      kinds: {
        one: () => swap(ONE_COIN, ONE_COIN),
        "into many": () => swap(ONE_COIN, [20_000, 20_000, 10_000]),
        many: () => swap(MANY_COINS, [50_000, 5_000, 1_000]),
        spent: async () =>
          post("anonymous", "/v1/swap", { inputs: await spentCoins(), outputs: outputs(ONE_COIN) }),
      },
    },
    {
      route: "POST /v1/checkstate",
      readsOnly: true,
      weight: 2,
      kinds: {
        coins: async () =>
          post("anonymous", "/v1/checkstate", {
            Ys: [...(await shop.withdraw(1_000, 2_000)), ...(await spentCoins())].map(({ secret }) =>
              toHex(hashToCurve(utf8(secret))),
            ),
          }),
      },
    },
    {
      route: "POST /v1/restore",
      readsOnly: true,
      weight: 2,
      kinds: {
        signed: async () => {
          const request = await swap(ONE_COIN, ONE_COIN);
          await shop.anonymous("POST", request.url, request.body);
          return post("anonymous", "/v1/restore", { outputs: v.parse(WithOutputs, request.body).outputs });
        },
        unknown: async () => post("anonymous", "/v1/restore", { outputs: outputs(MANY_COINS) }),
      },
    },
    {
      route: "POST /v1/mint/quote/account",
      weight: 2,
      kinds: {
        quote: async () => {
          const account = await world.useAccount();
          const pubkey = toHex(secp256k1.getPublicKey(randomBytes(32)));
          const body = { amount: 50_000, unit: deps.mint.unit, pubkey, description: "fuzz" };
          return post("accounts", "/v1/mint/quote/account", body, byAccount(world, account));
        },
      },
    },
    {
      route: "GET /v1/mint/quote/account/{id}",
      readsOnly: true,
      kinds: {
        quote: async () => ({
          side: "accounts",
          method: "GET",
          url: `/v1/mint/quote/account/${(await quote(1_000)).id}`,
        }),
      },
    },
    {
      route: "POST /v1/mint/account",
      weight: 3,
      kinds: { one: () => withdraw(ONE_COIN), many: () => withdraw(MANY_COINS) },
    },
    {
      route: "POST /v1/melt/quote/account",
      kinds: {
        quote: async () => post("accounts", "/v1/melt/quote/account", (await meltQuote(50_000)).body),
      },
    },
    {
      route: "GET /v1/melt/quote/account/{id}",
      readsOnly: true,
      kinds: {
        quote: async () => ({
          side: "accounts",
          method: "GET",
          url: `/v1/melt/quote/account/${(await meltQuote(1_000)).id}`,
        }),
      },
    },
    {
      route: "POST /v1/melt/account",
      weight: 3,
      kinds: {
        exact: () => melt(ONE_COIN, 0),
        change: () => melt([100_000], 3),
        "too small": () => melt([20_000], 0),
      },
    },
  ];
}

const WithOutputs = v.object({ outputs: v.unknown() });
