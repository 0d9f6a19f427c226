/**
 * `npm run payout -- list`: what settlements paid out and no bank has confirmed yet. `npm run payout -- confirm …`: the
 * bank says that it was sent. Works on the data folder, beside a server that runs.
 */
import { parseArgs } from "node:util";
import * as v from "valibot";
import { formatBalance, type Micros, parseMoney, ZERO } from "../../shared/money.ts";
import type { Deps } from "../deps.ts";
import {
  BankReference,
  confirmPayout,
  findPayout,
  listPayouts,
  type Payout,
  totalOfPayouts,
} from "../settlement/index.ts";
import { printTable, runCommand, UsageError } from "./run.ts";

const USAGE = `npm run payout -- list [--all]
npm run payout -- confirm SETTLEMENT … --reference TEXT
npm run payout -- confirm --all --total AMOUNT --reference TEXT

A settlement is named as in its statement, such as my-paper-1. TEXT is how the bank names the transfer.
"list" shows what is outstanding, with --all what was confirmed too. "confirm --all" confirms what is
outstanding if it adds up to what the bank has sent, and otherwise nothing: there may be a settlement since.`;

await runCommand(async (deps) => {
  const { verb, settlements, options } = readArguments();
  if (verb === "list" && settlements.length === 0) return printPayouts(deps, options.all ?? false);
  if (verb === "confirm") {
    const reference = v.safeParse(BankReference, options.reference);
    if (!reference.success) throw new UsageError(USAGE);
    const payouts = options.all
      ? await allOutstanding(deps, settlements, options.total)
      : await namedPayouts(deps, settlements);
    return confirm(deps, payouts, reference.output);
  }
  throw new UsageError(USAGE);
});

function readArguments() {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: { all: { type: "boolean" }, total: { type: "string" }, reference: { type: "string" } },
    });
    const [verb = "list", ...settlements] = positionals;
    return { verb, settlements, options: values };
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

async function printPayouts(deps: Deps, withConfirmed: boolean): Promise<number> {
  const payouts = await listPayouts(deps.ledger);
  const outstanding = payouts.filter(isOutstanding);
  const shown = withConfirmed ? payouts : outstanding;
  if (shown.length > 0) {
    printTable(
      ["settlement", "settled", "payout", "confirmed", "reference"],
      shown.map(({ settlementId, settlement, confirmed }) => [
        settlementId,
        dayOf(settlement.closedAt),
        money(deps, settlement.payout),
        confirmed ? dayOf(confirmed.at) : "no",
        confirmed?.bankReference ?? "",
      ]),
    );
  }
  console.log(
    outstanding.length === 0
      ? "No payout is outstanding."
      : `Outstanding: ${money(deps, totalOfPayouts(outstanding))}.`,
  );
  return 0;
}

/** All that are named, or none: a misspelt one must not leave half of a bank's file confirmed. */
async function namedPayouts(deps: Deps, ids: readonly string[]): Promise<Payout[]> {
  if (ids.length === 0) throw new UsageError(USAGE);
  const payouts: Payout[] = [];
  for (const id of new Set(ids)) {
    const payout = await findPayout(deps.ledger, id);
    if (!payout) throw new UsageError(`There is no settlement ${id}. Nothing was confirmed.`);
    if (payout.settlement.payout === ZERO) {
      throw new UsageError(
        `${id} paid nothing out (${money(deps, payout.settlement.carryForwardOut)} was carried forward), so there is nothing to confirm. Nothing was confirmed.`,
      );
    }
    payouts.push(payout);
  }
  return payouts;
}

/** The total is asked for because the server settles by itself: a payout that is newer than the bank's file was not sent. */
async function allOutstanding(
  deps: Deps,
  ids: readonly string[],
  total: string | undefined,
): Promise<Payout[]> {
  if (ids.length > 0 || total === undefined) throw new UsageError(USAGE);
  const sent = parseMoney(total);
  if (sent === undefined) throw new UsageError(`"${total}" is not an amount of money, such as 12.50.`);
  const outstanding = (await listPayouts(deps.ledger)).filter(isOutstanding);
  const sum = totalOfPayouts(outstanding);
  if (sum !== sent) {
    throw new UsageError(
      `Outstanding is ${money(deps, sum)}, and the bank has sent ${money(deps, sent)}. Nothing was confirmed: see "npm run payout -- list", and name those that were sent.`,
    );
  }
  return outstanding;
}

async function confirm(deps: Deps, payouts: readonly Payout[], bankReference: string): Promise<number> {
  let exitCode = 0;
  for (const asked of payouts) {
    const { payout, isNew } = await confirmPayout(deps.ledger, asked, bankReference);
    const { settlementId, settlement, confirmed } = payout;
    if (isNew) {
      console.log(
        `Confirmed ${settlementId}: ${money(deps, settlement.payout)}, reference ${bankReference}.`,
      );
    } else if (confirmed?.bankReference === bankReference) {
      console.log(`${settlementId} was confirmed before, on ${dayOf(confirmed.at)}. Nothing moved.`);
    } else {
      console.error(
        `${settlementId} was confirmed before, with the reference ${confirmed?.bankReference}, which stays. Nothing moved: was it sent twice?`,
      );
      exitCode = 1;
    }
  }
  return exitCode;
}

function isOutstanding({ confirmed }: Payout): boolean {
  return confirmed === undefined;
}

function money(deps: Deps, amount: Micros): string {
  return formatBalance(amount, deps.config.currency);
}

function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}
