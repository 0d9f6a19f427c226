import { sqliteDatabases } from "../support/database.ts";
import { describeLedger } from "./ledger.ts";

describeLedger(sqliteDatabases());
describeLedger(sqliteDatabases(), { inThread: true });
