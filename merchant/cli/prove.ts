/** The command `tuppence prove`: that what a receipt is for is in a statement of the merchant's. */
import { readFile } from "node:fs/promises";
import { readUnverified } from "../../shared/jws.ts";
import { formatMoney, ZERO } from "../../shared/money.ts";
import { ReceiptClaims, verifyReceipt } from "../../shared/receipt.ts";
import { isIncluded, settlementId, verifyStatementRoot } from "../../shared/statement.ts";
import { readArguments } from "./arguments.ts";
import type { CommandDeps } from "./command.ts";
import { CommandError } from "./problem.ts";
import { fetchInclusion, fetchKeys, providerOrigin } from "./provider.ts";

const HELP = `Proves that a payment is in its merchant's statement. Whoever has the receipt can do it.

  tuppence prove RECEIPT [--provider ORIGIN]

RECEIPT is a receipt, or a file with one. Nobody is asked but the provider that signed it. A receipt is worth as much as who
signed it: --provider says whom you mean.
`;

const OPTIONS = { help: { type: "boolean" }, provider: { type: "string" } } as const;

/** Whether it is proved. @throws CommandError with a sentence for whoever ran it */
export async function runProve(args: readonly string[], deps: CommandDeps): Promise<boolean> {
  const { values, positionals } = readArguments(args, OPTIONS);
  const [given] = positionals;
  if (values.help || given === undefined) {
    deps.print(HELP);
    return values.help === true;
  }
  const receipt = (await readFile(given, "utf8").catch(() => given)).trim();
  const said = readUnverified(receipt, ReceiptClaims);
  if (!said) throw new CommandError("That is no receipt, nor a file with one.");
  const { iss: issuer, aud: merchant, resource } = said;
  const wanted = values.provider === undefined ? issuer : providerOrigin(values.provider);
  if (issuer !== wanted) throw new CommandError(`The receipt is of ${issuer}, not of ${wanted}.`);
  const jwks = await fetchKeys(issuer, deps.fetch);
  const claims = await verifyReceipt(receipt, jwks, { issuer, merchant, resource, leastAmount: ZERO });
  if (!claims) throw new CommandError(`The receipt is not signed by ${issuer}.`);
  const inclusion = await fetchInclusion(issuer, claims.jti, deps.fetch);
  const root = await verifyStatementRoot(inclusion.signedRoot, jwks);
  const isProved = root?.iss === issuer && isIncluded(claims, inclusion, root);
  deps.print(
    isProved
      ? `✓ ${formatMoney(claims.amount, claims.currency)} for ${resource} is in statement ${settlementId(root.aud, root.number)} of ${issuer}.`
      : "✗ What the provider answers proves nothing: ask it why.",
  );
  return isProved;
}
