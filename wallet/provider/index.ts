/** The typed client of the provider's HTTP API (docs/PROTOCOL.md). */
import type * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { thumbprintOf } from "../../shared/jws.ts";
import {
  type BlindSignature,
  CheckStateResponse,
  KeysetsResponse,
  KeysResponse,
  MeltQuoteResponse,
  MintQuoteResponse,
  MintResponse,
  RestoreResponse,
  SwapResponse,
} from "../../shared/protocol/cashu.ts";
import {
  AccountResponse,
  BackupListing,
  BackupPart,
  BackupWritten,
  ClosureResponse,
  Jwks,
  KeysetLog,
  MerchantResponse,
  ProviderInfo,
  RefundResponse,
  RevokedReceipts,
  TopUpResponse,
} from "../../shared/protocol/provider.ts";
import { SettleResponse } from "../../shared/protocol/x402.ts";
import type { Clock, ProviderPort } from "../core/ports.ts";
import { accountCaller } from "./account.ts";
import { call, type Fetch } from "./call.ts";
import { checkedInfo } from "./discovery.ts";

export interface ProviderClientOptions {
  /** The configured anonymous origin: the only address that is taken on trust. */
  readonly anonymousOrigin: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
}

export function createProviderClient(options: ProviderClientOptions): ProviderPort {
  const { anonymousOrigin } = options;
  const get = <S extends v.GenericSchema>(path: string, schema: S) =>
    call(options.fetch, { method: "GET", url: anonymousOrigin + path }, schema);
  const post = <S extends v.GenericSchema>(path: string, body: unknown, schema: S) =>
    postText(path, JSON.stringify(body), schema);
  const postText = <S extends v.GenericSchema>(path: string, body: string, schema: S) =>
    call(options.fetch, { method: "POST", url: anonymousOrigin + path, body }, schema);

  let accountsOrigin: string | undefined;
  const info = async (): Promise<ProviderInfo> => {
    const found = checkedInfo(await get("/.well-known/tuppence.json", ProviderInfo), anonymousOrigin);
    accountsOrigin = found.accountsOrigin;
    return found;
  };
  const account = accountCaller({
    ...options,
    accountsOrigin: async () => accountsOrigin ?? (await info()).accountsOrigin,
  });

  return {
    info,
    jwks: () => get("/.well-known/jwks.json", Jwks),
    keysetLog: async () => (await get("/.well-known/keysets.json", KeysetLog)).keysets.map(({ id }) => id),
    keysets: async () => {
      const { keysets } = await get("/v1/keysets", KeysetsResponse);
      // A fee would be taken where the wallet does not count it.
      return keysets
        .filter((keyset) => keyset.input_fee_ppk === 0)
        .map(({ id, unit, active }) => ({ id, unit, active }));
    },
    keys: async (keysetId) => {
      const found = (await get(`/v1/keys/${keysetId}`, KeysResponse)).keysets.find(
        ({ id }) => id === keysetId,
      );
      if (!found) throw new TuppenceError("provider_answer_invalid", { answer: "keys" });
      return found.keys;
    },
    settle: (body) => postText("/x402/settle", body, SettleResponse),
    lookup: (paymentId, request) => post(`/payments/${paymentId}`, request, SettleResponse),
    refund: async (paymentId, request) =>
      (await post(`/payments/${paymentId}/refund`, request, RefundResponse)).signatures,
    swap: async (inputs, outputs) => (await post("/v1/swap", { inputs, outputs }, SwapResponse)).signatures,
    checkSpent: async (ys) => {
      const { states } = await post("/v1/checkstate", { Ys: ys }, CheckStateResponse);
      return new Map(states.map(({ Y, state }) => [Y, state === "SPENT"]));
    },
    restore: async (outputs) => pairUp(await post("/v1/restore", { outputs }, RestoreResponse)),
    revoked: async () => (await get("/receipts/revoked", RevokedReceipts)).revoked.map(({ jti }) => jti),
    merchant: async (id) =>
      (await get(`/merchants/${encodeURIComponent(id)}`, MerchantResponse)).merchantRecord,

    register: (key) => account(key, "POST", "/accounts", undefined, AccountResponse),
    account: (key) => account(key, "GET", "/accounts/me", undefined, AccountResponse),
    createTopUp: (key, request) => account(key, "POST", "/topups", request, TopUpResponse),
    topUp: (key, id) => account(key, "GET", `/topups/${id}`, undefined, TopUpResponse),
    backupParts: async (key) =>
      (await account(key, "GET", "/accounts/me/backup", undefined, BackupListing)).parts,
    backupPart: (key, name) => account(key, "GET", `/accounts/me/backup/${name}`, undefined, BackupPart),
    writeBackupPart: async (key, name, request) =>
      (await account(key, "POST", `/accounts/me/backup/${name}`, request, BackupWritten)).version,
    mintQuote: (key, { amount, unit, pubkey }) =>
      account(
        key,
        "POST",
        "/v1/mint/quote/account",
        { amount: Number(amount), unit, pubkey },
        MintQuoteResponse,
      ),
    mint: async (key, request) =>
      (await account(key, "POST", "/v1/mint/account", request, MintResponse)).signatures,
    meltQuote: async (key, { amount, unit }) => {
      const request = { request: await thumbprintOf(key.publicJwk), unit, amount: Number(amount) };
      return account(key, "POST", "/v1/melt/quote/account", request, MeltQuoteResponse);
    },
    melt: async (key, request) => {
      const { state } = await account(key, "POST", "/v1/melt/account", request, MeltQuoteResponse);
      if (state !== "PAID") throw new TuppenceError("provider_answer_invalid", { answer: "melt" });
    },
    closeAccount: (key, request) => account(key, "POST", "/accounts/me/closure", request, ClosureResponse),
    restoreWithdrawn: async (key, outputs) =>
      pairUp(await account(key, "POST", "/v1/restore", { outputs }, RestoreResponse)),
  };
}

function pairUp({
  outputs,
  signatures,
}: v.InferOutput<typeof RestoreResponse>): ReadonlyMap<string, BlindSignature> {
  if (outputs.length !== signatures.length)
    throw new TuppenceError("provider_answer_invalid", { answer: "restore" });
  return new Map(signatures.map((signature, index) => [outputs[index]?.B_ ?? "", signature]));
}
