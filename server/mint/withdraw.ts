/**
 * Withdraw: NUT-04 with the method `account`, locked by NUT-20. A quote debits nothing; minting debits the account in
 * the group that records the blinded outputs. What may be withdrawn is judged there and nowhere else: the balance,
 * money that is not final yet (`covers`), and whether the account is frozen (`absent`).
 */
import type * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import { isPayableInCoins, MAX_AMOUNT, type Micros, micros } from "../../shared/money.ts";
import type {
  MintQuoteRequest,
  MintQuoteResponse,
  MintRequest,
  MintResponse,
} from "../../shared/protocol/cashu.ts";
import { accountExists, frozenKey } from "../accounts/index.ts";
import type { Database } from "../database.ts";
import { floatAccount, provisionalAccount, readerAccount } from "../ledger/accounts.ts";
import { deriveId } from "../ledger/ids.ts";
import type { Rejection } from "../ledger/ledger.ts";
import { finalizeTopUpsOf } from "../topups/index.ts";
import { CashuRefusal } from "./cashu-errors.ts";
import { isPoint } from "./curve.ts";
import type { MintDeps } from "./deps.ts";
import { fingerprintOf, refuse } from "./group.ts";
import { verifyQuoteSignature } from "./quote-signature.ts";

const QUOTE_LIFETIME_SECONDS = 86_400;
/** Of one account, not expired. The wallet needs one at a time. */
const MAX_OPEN_QUOTES = 1_000;

type QuoteJson = v.InferInput<typeof MintQuoteResponse>;

/** Asking again with the same key gives the same quote. */
export async function createMintQuote(
  deps: MintDeps,
  accountId: string,
  request: v.InferOutput<typeof MintQuoteRequest>,
): Promise<QuoteJson> {
  const { amount, unit, pubkey } = request;
  if (!(await accountExists(deps.database, accountId))) throw new TuppenceError("account_unknown");
  if (unit !== deps.mint.unit) throw new CashuRefusal(11013);
  if (!isPayableInCoins(amount) || amount > MAX_AMOUNT) throw new CashuRefusal(11006);
  if (pubkey === undefined || !isPoint(pubkey)) throw new CashuRefusal(20009);

  const tables = deps.database.$extendTables<QuoteTables>();
  const id = deriveId("mint quote", accountId, pubkey);
  const expires_at = deps.now() + QUOTE_LIFETIME_SECONDS * 1_000;
  const known = await findQuote(deps.database, id);
  if (!known) {
    const open = await tables
      .selectFrom("mint_quotes")
      .select((select) => select.fn.countAll().as("count"))
      .where("account_id", "=", accountId)
      .where("expires_at", ">", deps.now())
      .executeTakeFirst();
    if (BigInt(open?.count ?? 0) >= MAX_OPEN_QUOTES) throw new TuppenceError("rate_limited");
  }
  await tables
    .insertInto("mint_quotes")
    .values({ id, account_id: accountId, pubkey, amount, expires_at })
    .onConflict((conflict) => conflict.column("id").doUpdateSet({ expires_at }))
    .execute();
  const quote = await findQuote(deps.database, id);
  if (!quote) throw new Error("a quote that was stored is there");
  if (quote.amount !== amount) throw new TuppenceError("request_conflict");
  return quoteJson(deps, quote);
}

export async function readMintQuote(deps: MintDeps, id: string): Promise<QuoteJson> {
  const quote = await findQuote(deps.database, id);
  if (!quote) throw new TuppenceError("not_found");
  return quoteJson(deps, quote);
}

export async function mintCoins(
  deps: MintDeps,
  request: v.InferOutput<typeof MintRequest>,
): Promise<v.InferInput<typeof MintResponse>> {
  const { mint, ledger, config } = deps;
  const quote = await findQuote(deps.database, request.quote);
  if (!quote) throw new TuppenceError("not_found");
  const { signature, outputs } = request;
  if (signature === undefined || !verifyQuoteSignature(quote.pubkey, quote.id, outputs, signature))
    throw new CashuRefusal(20008);
  const id = withdrawGroupId(quote.id);
  const fingerprint = fingerprintOf([], outputs);
  const committed = await ledger.group(id);
  // What was signed is given again, whichever keysets have ended since.
  if (committed?.fingerprint === fingerprint) return { signatures: await mint.sign(outputs) };
  const prepared = mint.prepareOutputs(outputs, quote.id);
  if (prepared.total !== quote.amount) throw new CashuRefusal(11005);

  const isReplay = committed !== undefined;
  if (!isReplay && quote.expiresAt <= deps.now()) throw new CashuRefusal(20007);
  if (!isReplay) await finalizeTopUpsOf(deps, quote.accountId);
  const account = readerAccount(quote.accountId);
  const outcome = await ledger.apply({
    id,
    fingerprint,
    transfers: [
      {
        id: deriveId("withdraw transfer", quote.id),
        debit: account,
        credit: floatAccount(prepared.keysetId),
        amount: prepared.total,
        code: "withdraw",
        reference: quote.id,
      },
    ],
    records: prepared.records,
    guards: [
      { kind: "absent", key: frozenKey(quote.accountId) },
      {
        kind: "covers",
        account,
        against: provisionalAccount(quote.accountId),
        slack: config.provisionalLimit,
      },
    ],
  });
  if (outcome.status === "conflict") throw new CashuRefusal(20002);
  if (outcome.status === "rejected") refuseWithdraw(outcome.rejection);
  return { signatures: await mint.sign(outputs) };
}

function withdrawGroupId(quoteId: string): string {
  return deriveId("withdraw", quoteId);
}

function refuseWithdraw(rejection: Rejection): never {
  if (rejection.reason === "overdraft") throw new TuppenceError("insufficient_balance");
  if (rejection.reason === "guard")
    throw new TuppenceError(rejection.index === 0 ? "account_frozen" : "withdraw_limit");
  refuse(rejection);
}

type QuoteTables = {
  mint_quotes: {
    id: string;
    account_id: string;
    pubkey: string;
    amount: bigint;
    expires_at: bigint | number;
  };
};

interface StoredQuote {
  readonly id: string;
  readonly accountId: string;
  readonly pubkey: string;
  readonly amount: Micros;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

async function findQuote(database: Database, id: string): Promise<StoredQuote | undefined> {
  const row = await database
    .$extendTables<QuoteTables>()
    .selectFrom("mint_quotes")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirst();
  return (
    row && {
      id: row.id,
      accountId: row.account_id,
      pubkey: row.pubkey,
      amount: micros(row.amount),
      expiresAt: Number(row.expires_at),
    }
  );
}

/** `PAID` says that the account could pay for it now. */
async function quoteJson({ ledger, mint, config }: MintDeps, quote: StoredQuote): Promise<QuoteJson> {
  const issued = (await ledger.group(withdrawGroupId(quote.id))) !== undefined;
  const covered = (await ledger.balance(readerAccount(quote.accountId))) >= quote.amount;
  return {
    quote: quote.id,
    request: config.accountsOrigin,
    amount: Number(quote.amount),
    unit: mint.unit,
    state: issued ? "ISSUED" : covered ? "PAID" : "UNPAID",
    expiry: Math.floor(quote.expiresAt / 1_000),
    pubkey: quote.pubkey,
  };
}
