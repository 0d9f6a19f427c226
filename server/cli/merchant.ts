/**
 * `npm run merchant -- add --id the-lantern --name "The Lantern" --origin https://lantern.example [--seal-key key.jwk.json]`
 * and `npm run merchant -- list`. Works on the data folder; a server that runs notices within a second.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { formatBalance, parseMoney } from "../../shared/money.ts";
import type { Deps } from "../deps.ts";
import { decodeRegistration } from "../merchants/index.ts";
import { printTable, runCommand, UsageError } from "./run.ts";

const USAGE = `npm run merchant -- add --id ID --name NAME --origin ORIGIN [--origin …]
  [--frame-parent ORIGIN …] [--seal-key FILE.jwk.json …] [--seals-valid-from SECONDS]
  [--refund-window SECONDS] [--refund-policy TEXT] [--payout-minimum AMOUNT]
npm run merchant -- list

A new merchant needs an id, a name and an origin. What "add" is not told about a merchant that exists stays as it is.
An empty refund policy takes it away.`;

await runCommand(async (deps) => {
  const [verb, ...rest] = process.argv.slice(2);
  if (verb === "add") return addMerchant(deps, rest);
  if (verb === "list" && rest.length === 0) return listMerchants(deps);
  throw new UsageError(USAGE);
});

async function addMerchant(deps: Deps, args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  const sealKeys = options["seal-key"]?.map(readPublicKey);
  const before = options.id === undefined ? undefined : await deps.merchants.get(options.id);
  const registration = decodeRegistration({
    id: options.id,
    name: options.name ?? before?.name,
    origins: options.origin ?? before?.origins,
    ...(options["frame-parent"] && { frameParents: options["frame-parent"] }),
    ...(sealKeys && { sealKeys }),
    ...(options["seals-valid-from"] !== undefined && {
      sealsValidFrom: wholeSeconds(options["seals-valid-from"]),
    }),
    ...(options["refund-window"] !== undefined && {
      refundWindowSeconds: wholeSeconds(options["refund-window"]),
    }),
    ...(options["refund-policy"] !== undefined && { refundPolicy: options["refund-policy"] || null }),
    ...(options["payout-minimum"] !== undefined && { payoutMinimum: micros(options["payout-minimum"]) }),
  });
  const { merchant, isNew } = await deps.merchants.put(registration);
  console.log(
    `${isNew ? "Registered" : "Updated"} ${merchant.id}: ${merchant.name}, ${merchant.origins.join(", ")}, ${merchant.sealKeys.length} seal keys.`,
  );
  return 0;
}

function readOptions(args: readonly string[]) {
  const text = { type: "string" } as const;
  const texts = { type: "string", multiple: true } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        id: text,
        name: text,
        origin: texts,
        "frame-parent": texts,
        "seal-key": texts,
        "seals-valid-from": text,
        "refund-window": text,
        "refund-policy": text,
        "payout-minimum": text,
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

/** A JWK or what a key file of ours holds. The private half, should it stand in the file, goes no further than here. */
function readPublicKey(path: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(
      `${path} cannot be read as a JSON Web Key: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return parsed;
}

function wholeSeconds(value: string): number {
  if (!/^[0-9]{1,12}$/.test(value)) throw new UsageError(`"${value}" is not a whole number of seconds.`);
  return Number(value);
}

function micros(value: string): string {
  const amount = /^0+(\.0+)?$/.test(value) ? 0n : parseMoney(value);
  if (amount === undefined) throw new UsageError(`"${value}" is not an amount of money, such as 1 or 0.50.`);
  return amount.toString();
}

async function listMerchants(deps: Deps): Promise<number> {
  const merchants = await deps.merchants.list();
  const { currency } = deps.config;
  printTable(
    ["id", "name", "sites", "refund window", "payout minimum", "seal keys"],
    merchants.map(({ id, name, origins, refundWindowSeconds, payoutMinimum, sealKeys }) => [
      id,
      name,
      origins.join(" "),
      `${refundWindowSeconds} s`,
      formatBalance(payoutMinimum, currency),
      String(sealKeys.length),
    ]),
  );
  return 0;
}
