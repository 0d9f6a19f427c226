/** Adds up a merchant's revenue in a process of its own, which may be killed, and says each page: `node revenue-counter.ts ADDRESS MERCHANT`. */
import { openDatabase } from "../../server/database.ts";
import { openLedger } from "../../server/ledger/open.ts";
import { advance } from "../../server/revenue/advance.ts";
import { placeAt } from "../support/database.ts";

const [address = "", merchant = ""] = process.argv.slice(2);
const { database, close } = await openDatabase(placeAt(address));
const ledger = openLedger(placeAt(address), Date.now);
process.stdout.write("ready\n");
while (await advance({ database, ledger }, merchant)) process.stdout.write("page\n");
await ledger.close();
await close();
