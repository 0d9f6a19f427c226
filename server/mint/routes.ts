/** The Cashu endpoints. They stand on both origins; the ones that name an account only on the accounts'. */
import type { FastifyInstance } from "fastify";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import {
  CheckStateRequest,
  CheckStateResponse,
  KeysetsResponse,
  KeysResponse,
  MeltQuoteRequest,
  MeltQuoteResponse,
  MeltRequest,
  MintQuoteRequest,
  MintQuoteResponse,
  MintRequest,
  MintResponse,
  quoteId,
  RestoreRequest,
  RestoreResponse,
  SwapRequest,
  SwapResponse,
} from "../../shared/protocol/cashu.ts";
import { authenticate } from "../accounts/index.ts";
import { decode } from "../decode.ts";
import { describe } from "../openapi.ts";
import type { Side } from "../origins.ts";
import { CashuRefusal } from "./cashu-errors.ts";
import { checkState } from "./check-state.ts";
import { createMeltQuote, melt, readMeltQuote } from "./deposit.ts";
import type { MintDeps } from "./deps.ts";
import { mintInfo } from "./info.ts";
import type { Keyset } from "./keysets.ts";
import { restore } from "./restore.ts";
import { swap } from "./swap.ts";
import { createMintQuote, mintCoins, readMintQuote } from "./withdraw.ts";

export function registerMint(app: FastifyInstance, deps: MintDeps): void {
  const route = (
    side: Side | "both",
    summary: string,
    response: v.GenericSchema,
    body?: v.GenericSchema,
  ) => ({
    config: { side },
    schema: describe({ summary, tags: ["coins"], response: { 200: response }, ...(body ? { body } : {}) }),
  });

  app.get("/v1/info", route("both", "NUT-06: the mint", v.looseObject({})), async () => mintInfo(deps));
  app.get("/v1/keysets", route("both", "NUT-02: all keysets", KeysetsResponse), async () => ({
    keysets: deps.mint.keysets().map(({ id, unit, active }) => ({ id, unit, active, input_fee_ppk: 0 })),
  }));
  app.get("/v1/keys", route("both", "NUT-01: keys of the active keyset", KeysResponse), async () => ({
    keysets: deps.mint
      .keysets()
      .filter(({ active }) => active)
      .map(keysOf),
  }));
  app.get("/v1/keys/:id", route("both", "NUT-02: keys of one keyset", KeysResponse), async ({ params }) => {
    const { id } = decode(Params, params);
    const keyset = deps.mint.keysets().find((candidate) => candidate.id === id);
    if (!keyset) throw new CashuRefusal(12001);
    return { keysets: [keysOf(keyset)] };
  });

  app.post(
    "/v1/swap",
    route("both", "NUT-03: coins for fresh coins", SwapResponse, SwapRequest),
    async ({ body }) => swap(deps, decode(SwapRequest, body)),
  );
  app.post(
    "/v1/checkstate",
    route("both", "NUT-07: which coins are spent", CheckStateResponse, CheckStateRequest),
    async ({ body }) => checkState(deps, decode(CheckStateRequest, body)),
  );
  app.post(
    "/v1/restore",
    route("both", "NUT-09: signatures that were given out", RestoreResponse, RestoreRequest),
    async ({ body }) => restore(deps, decode(RestoreRequest, body)),
  );

  app.post(
    "/v1/mint/quote/account",
    route("accounts", "NUT-04, 20: a quote for a withdraw", MintQuoteResponse, MintQuoteRequest),
    async (request) =>
      createMintQuote(deps, await authenticate(deps, request), decode(MintQuoteRequest, request.body)),
  );
  app.get(
    "/v1/mint/quote/account/:id",
    route("accounts", "NUT-04: the quote", MintQuoteResponse),
    async ({ params }) => readMintQuote(deps, quoteIdOf(params)),
  );
  app.post(
    "/v1/mint/account",
    route("accounts", "NUT-04: withdraws", MintResponse, MintRequest),
    async ({ body }) => mintCoins(deps, decode(MintRequest, body)),
  );
  app.post(
    "/v1/melt/quote/account",
    route("accounts", "NUT-05: a quote for a deposit", MeltQuoteResponse, MeltQuoteRequest),
    async ({ body }) => createMeltQuote(deps, decode(MeltQuoteRequest, body)),
  );
  app.get(
    "/v1/melt/quote/account/:id",
    route("accounts", "NUT-05: the quote", MeltQuoteResponse),
    async ({ params }) => readMeltQuote(deps, quoteIdOf(params)),
  );
  app.post(
    "/v1/melt/account",
    route("accounts", "NUT-05, 08: deposits", MeltQuoteResponse, MeltRequest),
    async ({ body }) => melt(deps, decode(MeltRequest, body)),
  );
}

const Params = v.object({ id: v.pipe(v.string(), v.maxLength(200)) });
const QuoteParams = v.object({ id: quoteId });

function quoteIdOf(params: unknown): string {
  const decoded = v.safeParse(QuoteParams, params);
  if (!decoded.success) throw new TuppenceError("not_found");
  return decoded.output.id;
}

function keysOf({ id, unit, active, publicKeys }: Keyset) {
  return {
    id,
    unit,
    active,
    input_fee_ppk: 0,
    keys: Object.fromEntries([...publicKeys].map(([amount, key]) => [amount.toString(), key])),
  };
}
