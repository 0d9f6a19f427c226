/** Parts of backups, as the database keeps them. A writing replaces what stood there, and happens only from the version that it names. */
import type { Database } from "../database.ts";

interface Part {
  readonly name: string;
  readonly version: number;
  readonly content: Uint8Array;
}

type BackupTables = {
  wallet_backup_parts: {
    account_id: string;
    name: string;
    version: bigint | number;
    content: Uint8Array;
  };
};

export async function listParts(
  database: Database,
  accountId: string,
): Promise<{ name: string; version: number; bytes: number }[]> {
  const rows = await database
    .$extendTables<BackupTables>()
    .selectFrom("wallet_backup_parts")
    .select((select) => ["name", "version", select.fn<bigint>("length", ["content"]).as("bytes")])
    .where("account_id", "=", accountId)
    .orderBy("name")
    .execute();
  return rows.map(({ name, version, bytes }) => ({ name, version: Number(version), bytes: Number(bytes) }));
}

export async function readPart(
  database: Database,
  accountId: string,
  name: string,
): Promise<Omit<Part, "name"> | undefined> {
  const row = await database
    .$extendTables<BackupTables>()
    .selectFrom("wallet_backup_parts")
    .select(["version", "content"])
    .where("account_id", "=", accountId)
    .where("name", "=", name)
    .executeTakeFirst();
  return row && { version: Number(row.version), content: row.content };
}

/** By all parts but this one. */
export async function usedBytes(
  database: Database,
  accountId: string,
  exceptName: string,
): Promise<{ bytes: number; parts: number }> {
  const row = await database
    .$extendTables<BackupTables>()
    .selectFrom("wallet_backup_parts")
    .select((select) => [
      select.fn.countAll().as("parts"),
      select.fn.sum(select.fn<bigint>("length", ["content"])).as("bytes"),
    ])
    .where("account_id", "=", accountId)
    .where("name", "!=", exceptName)
    .executeTakeFirst();
  return { bytes: Number(row?.bytes ?? 0), parts: Number(row?.parts ?? 0) };
}

/** False where the part is at another version. One statement each, so that of two at once one wins. */
export async function writePart(
  database: Database,
  accountId: string,
  { name, version, content }: Part,
): Promise<boolean> {
  const tables = database.$extendTables<BackupTables>();
  if (version === 0) {
    const inserted = await tables
      .insertInto("wallet_backup_parts")
      .values({ account_id: accountId, name, version: 1, content })
      .onConflict((conflict) => conflict.columns(["account_id", "name"]).doNothing())
      .executeTakeFirst();
    return inserted.numInsertedOrUpdatedRows === 1n;
  }
  const updated = await tables
    .updateTable("wallet_backup_parts")
    .set({ version: version + 1, content })
    .where("account_id", "=", accountId)
    .where("name", "=", name)
    .where("version", "=", version)
    .executeTakeFirst();
  return updated.numUpdatedRows === 1n;
}

/** Every part, of an account that was closed. */
export async function removeBackup(database: Database, accountId: string): Promise<void> {
  await database
    .$extendTables<BackupTables>()
    .deleteFrom("wallet_backup_parts")
    .where("account_id", "=", accountId)
    .execute();
}
