/** Writes groups to a ledger until it is killed, and says each that was confirmed. Started by `ledger.ts`. */
import { readerAccount } from "../../server/ledger/accounts.ts";
import { deriveId } from "../../server/ledger/ids.ts";
import { openLedger } from "../../server/ledger/open.ts";
import { micros } from "../../shared/money.ts";
import { placeAt } from "../support/database.ts";

const [address = "", name = "", most = "1000000"] = process.argv.slice(2);
const ledger = openLedger(placeAt(address), Date.now, true);
const CALLERS = 16;
let next = 0;

await Promise.all(
  Array.from({ length: CALLERS }, async () => {
    while (next < Number(most)) {
      const id = `${name}-${next++}`;
      const transfer = {
        id: deriveId("t", id),
        debit: "gateway_clearing:test",
        credit: readerAccount(name),
        amount: micros(7n),
        code: "top_up",
        reference: id,
      } as const;
      const pair = { ...transfer, id: deriveId("u", id), credit: readerAccount("both"), amount: micros(3n) };
      const { status } = await ledger.apply({
        id: deriveId("g", id),
        fingerprint: id,
        transfers: [transfer, pair],
        records: [{ key: `r:${id}`, value: "{}" }],
      });
      process.stdout.write(`${status} ${id}\n`);
    }
  }),
);
await ledger.close();
