/**
 * Deposit: NUT-05 with the method `account`; what the coins are worth more comes back as change (NUT-08). A quote is
 * handed out and not stored: its id says account, amount and expiry, authenticated by a key of ours.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import {
  isPayableInCoins,
  type Micros,
  micros,
  parseMicros,
  splitIntoCoins,
  subtract,
  ZERO,
} from "../../shared/money.ts";
import {
  BlindedMessage,
  type MeltQuoteRequest,
  type MeltQuoteResponse,
  type MeltRequest,
} from "../../shared/protocol/cashu.ts";
import { accountExists, frozenKey } from "../accounts/index.ts";
import { DEPOSIT_CLEARING, floatAccount, readerAccount } from "../ledger/accounts.ts";
import { deriveId } from "../ledger/ids.ts";
import type { Transfer } from "../ledger/ledger.ts";
import { CashuRefusal } from "./cashu-errors.ts";
import type { MintDeps } from "./deps.ts";
import { fingerprintOf, refuse, spendCoins, totalOf } from "./group.ts";

const QUOTE_LIFETIME_SECONDS = 3_600;
const NONCE_BYTES = 6;
const MAC_BYTES = 16;

type QuoteJson = v.InferInput<typeof MeltQuoteResponse>;

export async function createMeltQuote(
  deps: MintDeps,
  { request, unit, amount }: v.InferOutput<typeof MeltQuoteRequest>,
): Promise<QuoteJson> {
  if (unit !== deps.mint.unit) throw new CashuRefusal(11013);
  if (!isPayableInCoins(amount) || parseMicros(amount.toString()) === undefined)
    throw new CashuRefusal(11006);
  if (!(await accountExists(deps.database, request))) throw new TuppenceError("account_unknown");
  // Only kindness: what counts is the guard when the coins come.
  if ((await deps.ledger.record(frozenKey(request))) !== undefined) throw new TuppenceError("account_frozen");
  const expiry = Math.floor(deps.now() / 1_000) + QUOTE_LIFETIME_SECONDS;
  return quoteJson(deps, writeQuote(deps, { account: request, amount, expiry }), {
    account: request,
    amount,
    expiry,
  });
}

export async function readMeltQuote(deps: MintDeps, id: string): Promise<QuoteJson> {
  const quote = readQuote(deps, id);
  if (!quote) throw new TuppenceError("not_found");
  return quoteJson(deps, id, quote);
}

export async function melt(
  deps: MintDeps,
  { quote: id, inputs, outputs }: v.InferOutput<typeof MeltRequest>,
): Promise<QuoteJson> {
  const { ledger, mint } = deps;
  const quote = readQuote(deps, id);
  if (!quote) throw new TuppenceError("not_found");
  const coins = await mint.verifyCoins(inputs);
  const groupId = depositGroupId(id);
  const fingerprint = fingerprintOf(coins, outputs ?? []);
  const committed = await ledger.group(groupId);
  // What was signed is given again, whichever keysets have ended since.
  if (committed?.fingerprint === fingerprint) return quoteJson(deps, id, quote);
  const {
    change,
    total: changeTotal,
    keysetId,
    records,
  } = prepareChange(deps, subtract(totalOf(coins), quote.amount), outputs ?? [], id);

  if (quote.expiry * 1_000 <= deps.now() && committed === undefined) throw new CashuRefusal(20007);
  const transfers: Transfer[] = [
    ...spendCoins(coins, DEPOSIT_CLEARING, "deposit", groupId),
    {
      id: deriveId("deposit arrival", id),
      debit: DEPOSIT_CLEARING,
      credit: readerAccount(quote.account),
      amount: quote.amount,
      code: "deposit",
      reference: groupId,
    },
  ];
  if (changeTotal > ZERO) {
    transfers.push({
      id: deriveId("deposit change", id),
      debit: DEPOSIT_CLEARING,
      credit: floatAccount(keysetId),
      amount: changeTotal,
      code: "change",
      reference: groupId,
    });
  }
  const outcome = await ledger.apply({
    id: groupId,
    fingerprint,
    transfers,
    records: [
      {
        key: depositKey(id),
        value: JSON.stringify(change.map((output) => ({ ...output, amount: Number(output.amount) }))),
      },
      ...records,
    ],
    // Nothing comes out of a frozen account again: whoever holds the coins is better off with them.
    guards: [{ kind: "absent", key: frozenKey(quote.account) }],
  });
  if (outcome.status === "conflict") throw new CashuRefusal(20006);
  if (outcome.status === "rejected" && outcome.rejection.reason === "guard")
    throw new TuppenceError("account_frozen");
  if (outcome.status === "rejected") refuse(outcome.rejection);
  return quoteJson(deps, id, quote);
}

/** The amounts of blank outputs are not read: the change is assigned to them in order, largest coin first. */
function prepareChange(
  { mint }: MintDeps,
  change: Micros,
  blanks: readonly BlindedMessage[],
  reference: string,
) {
  if (change < ZERO) throw new TuppenceError("coins_too_small");
  const amounts = change === ZERO ? [] : splitIntoCoins(change);
  if (!amounts || amounts.length > blanks.length) throw new TuppenceError("change_not_possible");
  const outputs = amounts.flatMap((amount, index) => {
    const blank = blanks[index];
    return blank ? [{ ...blank, amount }] : [];
  });
  return { change: outputs, ...mint.prepareOutputs(outputs, reference) };
}

const depositGroupId = (quoteId: string): string => deriveId("deposit", quoteId);
const depositKey = (quoteId: string): string => `deposit:${depositGroupId(quoteId)}`;
const DepositRecord = v.array(BlindedMessage);

async function quoteJson(
  { ledger, mint }: MintDeps,
  id: string,
  { account, amount, expiry }: Quote,
): Promise<QuoteJson> {
  const record = await ledger.record(depositKey(id));
  const change = record === undefined ? [] : await mint.sign(v.parse(DepositRecord, JSON.parse(record)));
  return {
    quote: id,
    request: account,
    amount: Number(amount),
    unit: mint.unit,
    fee_reserve: 0,
    state: record === undefined ? "UNPAID" : "PAID",
    expiry,
    payment_preimage: null,
    ...(change.length === 0 ? {} : { change }),
  };
}

interface Quote {
  readonly account: string;
  readonly amount: Micros;
  /** Seconds since 1970. */
  readonly expiry: number;
}

function writeQuote(deps: MintDeps, { account, amount, expiry }: Quote): string {
  const nonce = Buffer.from(deps.random(NONCE_BYTES)).toString("base64url");
  const content = [account, amount.toString(36), expiry.toString(36), nonce].join(".");
  return `${content}.${macOf(deps, content).toString("base64url")}`;
}

const QUOTE =
  /^([A-Za-z0-9_-]{43})\.([0-9a-z]{1,8})\.([0-9a-z]{1,8})\.[A-Za-z0-9_-]{8}\.([A-Za-z0-9_-]{22})$/;

function readQuote(deps: MintDeps, id: string): Quote | undefined {
  const [, account, amount, expiry, mac] = QUOTE.exec(id) ?? [];
  if (account === undefined || amount === undefined || expiry === undefined || mac === undefined)
    return undefined;
  const given = Buffer.from(mac, "base64url");
  const expected = macOf(deps, id.slice(0, id.lastIndexOf(".")));
  // Re-encoded, so that one quote has one id: the last character of base64url has bits to spare.
  if (given.toString("base64url") !== mac || !timingSafeEqual(given, expected)) return undefined;
  return { account, amount: micros(Number.parseInt(amount, 36)), expiry: Number.parseInt(expiry, 36) };
}

function macOf({ secrets }: MintDeps, content: string): Buffer {
  return createHmac("sha256", secrets.quoteSecret)
    .update(`tuppence melt quote v1|${content}`)
    .digest()
    .subarray(0, MAC_BYTES);
}
