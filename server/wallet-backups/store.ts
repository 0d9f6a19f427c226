/** Parts of backups, as the database keeps them. A writing replaces what stood there, and happens only from the version that it names. */
import type { Database } from "../database.ts";

export interface Part {
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

export interface UsedRoom {
  /** All parts but the one that is asked about. */
  readonly others: { readonly bytes: number; readonly parts: number };
  /** Of that one; undefined where there is none. */
  readonly replacedBytes: number | undefined;
}

export async function usedRoom(database: Database, accountId: string, name: string): Promise<UsedRoom> {
  const row = await database
    .$extendTables<BackupTables>()
    .selectFrom("wallet_backup_parts")
    .select((select) => {
      const length = select.fn<bigint>("length", ["content"]);
      return [
        select.fn.countAll().as("parts"),
        select.fn.sum(length).as("bytes"),
        select.fn.max(select.case().when("name", "=", name).then(length).end()).as("replaced"),
      ];
    })
    .where("account_id", "=", accountId)
    .executeTakeFirstOrThrow();
  const replacedBytes = row.replaced === null ? undefined : Number(row.replaced);
  return {
    others: {
      bytes: Number(row.bytes ?? 0) - (replacedBytes ?? 0),
      parts: Number(row.parts) - (replacedBytes === undefined ? 0 : 1),
    },
    replacedBytes,
  };
}

/** False where the part is at another version. One statement each, so that of two at once one wins. */
export async function replacePart(
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

/**
 * Of an account that was closed. The names stay: by them a restore knows which numbers of devices were given, and counts where
 * nobody counted before. The versions are new ones, so that whoever wrote a part sees that it is not his any more; what is
 * empty already stays as it is.
 */
export async function emptyBackup(database: Database, accountId: string): Promise<void> {
  await database
    .$extendTables<BackupTables>()
    .updateTable("wallet_backup_parts")
    .set((set) => ({ version: set("version", "+", 1), content: new Uint8Array() }))
    .where("account_id", "=", accountId)
    .where(({ fn }) => fn<number>("length", ["content"]), ">", 0)
    .execute();
}
