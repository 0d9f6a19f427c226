/** What the ledger is measured against: one transaction for each payment, written plainly. In a process of its own. */
import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import postgres from "postgres";
import { placeAt } from "../test/support/database.ts";

const { values: options } = parseArgs({
  options: {
    address: { type: "string", default: "" },
    callers: { type: "string", default: "64" },
    seconds: { type: "string", default: "5" },
  },
});
/** As many as PostgreSQL's users are told to have, for the cores of a small server. */
const CONNECTIONS = 10;
const RECORD = JSON.stringify({ resource: "https://lantern.example/2026/11/tides.html", change: [] }).padEnd(
  450,
);
const SCHEMA = `
  CREATE TABLE balances (account TEXT PRIMARY KEY, amount BIGINT NOT NULL);
  INSERT INTO balances VALUES ('float', 0), ('merchant', 0);
  CREATE TABLE transfers (id TEXT PRIMARY KEY, payment TEXT NOT NULL, amount BIGINT NOT NULL);
  CREATE TABLE payments (id TEXT PRIMARY KEY, record TEXT NOT NULL)`;

const place = placeAt(options.address);
const { pay, close } = place.kind === "sqlite" ? openSqlite(place.path) : await openPostgres(place.url);
const milliseconds = Number(options.seconds) * 1_000;
const before = performance.now();
let paid = 0;
await Promise.all(
  Array.from({ length: Number(options.callers) }, async () => {
    while (performance.now() - before < milliseconds) {
      await pay(randomBytes(16).toString("hex"));
      paid++;
    }
  }),
);
const perSecond = paid / ((performance.now() - before) / 1_000);
await close();
process.stdout.write(`${JSON.stringify({ perSecond })}\n`);

function openSqlite(path: string) {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${SCHEMA}`);
  const statements = [
    database.prepare("INSERT INTO transfers VALUES (?1, ?1, 50000)"),
    database.prepare(`INSERT INTO payments VALUES (?, '${RECORD}')`),
  ];
  return {
    async pay(id: string) {
      database.exec("BEGIN IMMEDIATE");
      for (const statement of statements) statement.run(id);
      database.exec("UPDATE balances SET amount = amount - 50000 WHERE account = 'float'");
      database.exec("UPDATE balances SET amount = amount + 50000 WHERE account = 'merchant'");
      database.exec("COMMIT");
    },
    close: async () => database.close(),
  };
}

async function openPostgres(url: string) {
  const sql = postgres(url, { max: CONNECTIONS, onnotice: () => {} });
  await sql.unsafe(SCHEMA);
  return {
    async pay(id: string) {
      await sql.begin(async (transaction) => [
        await transaction`INSERT INTO transfers VALUES (${id}, ${id}, 50000)`,
        await transaction`INSERT INTO payments VALUES (${id}, ${RECORD})`,
        await transaction`UPDATE balances SET amount = amount - 50000 WHERE account = 'float'`,
        await transaction`UPDATE balances SET amount = amount + 50000 WHERE account = 'merchant'`,
      ]);
    },
    close: () => sql.end(),
  };
}
