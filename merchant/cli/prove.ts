/** The command `tuppence prove`: that what a receipt is for is in a statement of the merchant's. */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { readUnverified } from "../../shared/jws.ts";
import { formatMoney, ZERO } from "../../shared/money.ts";
import { ReceiptClaims, verifyReceipt } from "../../shared/receipt.ts";
import { isIncluded, settlementId, verifyStatementRoot } from "../../shared/statement.ts";
import type { CommandDeps } from "./command.ts";
import { CommandError } from "./problem.ts";
import { fetchInclusion, fetchKeys } from "./provider.ts";

const HELP = `Proves that a payment is in its merchant's statement. Whoever has the receipt can do it.

  tuppence prove RECEIPT

RECEIPT is a receipt, or a file with one. Nothing is asked but the provider that signed it.
`;

/** Whether it is proved. @throws CommandError with a sentence for whoever ran it */
export async function runProve(args: readonly string[], deps: CommandDeps): Promise<boolean> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { help: { type: "boolean" } },
    allowPositionals: true,
  });
  const [given] = positionals;
  if (values.help || given === undefined) {
    deps.print(HELP);
    return values.help === true;
  }
  const receipt = (await readFile(given, "utf8").catch(() => given)).trim();
  const issuer = readUnverified(receipt, ReceiptClaims);
  if (!issuer) throw new CommandError("That is no receipt, nor a file with one.");
  const jwks = await fetchKeys(issuer.iss, deps.fetch);
  const { iss, aud, resource } = issuer;
  const claims = await verifyReceipt(receipt, jwks, {
    issuer: iss,
    merchant: aud,
    resource,
    leastAmount: ZERO,
  });
  if (!claims) throw new CommandError(`The receipt is not signed by ${iss}.`);
  const inclusion = await fetchInclusion(iss, claims.jti, deps.fetch);
  const root = await verifyStatementRoot(inclusion.signedRoot, jwks);
  const isProved = root !== undefined && isIncluded(claims, inclusion, root);
  deps.print(
    isProved
      ? `✓ ${formatMoney(claims.amount, claims.currency)} for ${claims.resource} is in statement ${settlementId(root.aud, root.number)}.`
      : "✗ What the provider answers proves nothing: ask it why.",
  );
  return isProved;
}
