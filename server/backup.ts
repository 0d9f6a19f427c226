/**
 * A backup is a folder: the database as of one moment, the secrets, the list of keysets, and `manifest.json`, which is
 * written last and says what the others hash to. Without it, or with other hashes, the backup is not whole.
 *
 * The database is copied by SQLite itself in one step, so that what is committed meanwhile neither gets in by half nor makes
 * it begin again. Whatever was answered before the copy began was durable before, so it is in it. The list of keysets is
 * copied after the database, because the database may name the newest.
 */
import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import { ConfigError } from "./config.ts";
import { SECRETS_FOLDER } from "./secrets.ts";
import { VERSION } from "./version.ts";

export const DATABASE_FILE = "tuppence.sqlite";
export const KEYSETS_FILE = "keysets.json";
const MANIFEST_FILE = "manifest.json";
/** Pages in one step: all of them. A copy in pieces would begin again at every commit in between. */
const ALL_PAGES = 2_147_483_647;
const OWNER_ONLY_FOLDER = 0o700;
const OWNER_ONLY_FILE = 0o600;

const Manifest = v.object({
  /** When the copy of the database began, ISO 8601. What was paid later is not in it. */
  takenAt: v.pipe(v.string(), v.isoTimestamp()),
  version: v.string(),
  /** SHA-256 in hex, by path inside the folder. */
  files: v.record(
    v.pipe(v.string(), v.regex(/^(secrets\/)?[a-z0-9.-]{1,100}$/)),
    v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  ),
});
export type Manifest = v.InferOutput<typeof Manifest>;

export interface BackupOptions {
  readonly dataFolder: string;
  /** Must not exist: a backup overwrites nothing. */
  readonly to: string;
  /** Where the ledger is not SQLite, its own tools save it. */
  readonly withDatabase: boolean;
  readonly now: () => number;
}

/** Leaves the backup without its manifest; `sealBackup` makes it whole once it was found to be good. @throws ConfigError */
export async function copyIntoBackup({ dataFolder, to, withDatabase, now }: BackupOptions): Promise<string> {
  const path = join(dataFolder, DATABASE_FILE);
  if (withDatabase && !existsSync(path))
    throw new ConfigError(
      `${path} is not there. Where the ledger is in PostgreSQL, TUPPENCE_DATABASE_URL has to say so here too.`,
    );
  if (!existsSync(join(dataFolder, SECRETS_FOLDER)))
    throw new ConfigError(`${dataFolder} holds no secrets, so it is no provider's data folder.`);
  makeFolder(to);
  const takenAt = new Date(now()).toISOString();
  if (withDatabase) await copyDatabase(path, join(to, DATABASE_FILE));
  makeFolder(join(to, SECRETS_FOLDER));
  for (const file of [KEYSETS_FILE, ...secretFiles(dataFolder)])
    copyOwn(join(dataFolder, file), join(to, file));
  return takenAt;
}

export function sealBackup(folder: string, takenAt: string): Manifest {
  const files = [DATABASE_FILE, KEYSETS_FILE, ...secretFiles(folder)].filter((file) =>
    existsSync(join(folder, file)),
  );
  const manifest: Manifest = {
    takenAt,
    version: VERSION,
    files: Object.fromEntries(files.map((file) => [file, hashOf(join(folder, file))])),
  };
  writeOwn(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** @throws ConfigError where the backup is not whole */
function readBackup(folder: string): Manifest {
  const path = join(folder, MANIFEST_FILE);
  if (!existsSync(path))
    throw new ConfigError(
      `${folder} has no ${MANIFEST_FILE}: it is no backup, or one that was never finished.`,
    );
  const manifest = v.safeParse(Manifest, JSON.parse(readFileSync(path, "utf8")));
  if (!manifest.success) throw new ConfigError(`${path} is not the manifest of a backup.`);
  for (const [file, hash] of Object.entries(manifest.output.files)) {
    if (!existsSync(join(folder, file)) || hashOf(join(folder, file)) !== hash)
      throw new ConfigError(`${join(folder, file)} is not what was backed up; use another backup.`);
  }
  return manifest.output;
}

export interface RestoreOptions {
  readonly from: string;
  readonly dataFolder: string;
  /** Puts what is there aside, into a folder within it. */
  readonly replace: boolean;
  readonly now: () => number;
}

/** @throws ConfigError where a provider runs on the folder, or it holds something and `replace` was not said */
export function restoreBackup({ from, dataFolder, replace, now }: RestoreOptions): Manifest {
  const manifest = readBackup(from);
  refuseWhileInUse(dataFolder);
  mkdirSync(dataFolder, { recursive: true, mode: OWNER_ONLY_FOLDER });
  const there = readdirSync(dataFolder).filter((name) => OWN_NAMES.test(name));
  if (there.length > 0 && !replace)
    throw new ConfigError(
      `${dataFolder} holds ${there.join(", ")}. Restore into an empty folder, or say --replace: then this is put aside first.`,
    );
  if (there.length > 0) putAside(dataFolder, there, now());
  makeFolder(join(dataFolder, SECRETS_FOLDER));
  // The database last: a restore that dies before has left a folder that no provider mistakes for a whole one.
  const files = Object.keys(manifest.files).sort((a) => (a === DATABASE_FILE ? 1 : -1));
  for (const file of files) copyOwn(join(from, file), join(dataFolder, file));
  return manifest;
}

/**
 * Statements too: the numbers of settlements that the backup does not know are given again, and a statement that is there
 * is never written anew.
 */
const OWN_NAMES = /^(secrets|statements|keysets\.json|tuppence\.sqlite(-wal|-shm)?)$/;

function putAside(dataFolder: string, names: readonly string[], nowMilliseconds: number): void {
  const aside = join(dataFolder, `replaced-${new Date(nowMilliseconds).toISOString().replaceAll(":", "-")}`);
  makeFolder(aside);
  for (const name of names) renameSync(join(dataFolder, name), join(aside, name));
}

/** A database in WAL mode can leave it only while nobody else has it open; the lock goes with the process that held it. */
function refuseWhileInUse(dataFolder: string): void {
  const path = join(dataFolder, DATABASE_FILE);
  if (!existsSync(path)) return;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec("PRAGMA journal_mode = DELETE");
    database.exec("PRAGMA journal_mode = WAL");
  } catch (error) {
    if (!isLocked(error)) return; // damaged: all the more reason to put a backup in its place
    throw new ConfigError(`A provider, or a command, uses ${dataFolder}; stop it first.`);
  } finally {
    database?.close();
  }
}

const SQLITE_BUSY = 5;

function isLocked(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
}

async function copyDatabase(from: string, to: string): Promise<void> {
  const source = new DatabaseSync(from, { readOnly: true });
  try {
    await backup(source, to, { rate: ALL_PAGES });
  } finally {
    source.close();
  }
  chmodSync(to, OWNER_ONLY_FILE);
}

function makeFolder(path: string): void {
  if (existsSync(path)) throw new ConfigError(`${path} is there already, and is not overwritten.`);
  mkdirSync(dirname(path), { recursive: true, mode: OWNER_ONLY_FOLDER });
  mkdirSync(path, { mode: OWNER_ONLY_FOLDER });
}

function secretFiles(folder: string): string[] {
  return readdirSync(join(folder, SECRETS_FOLDER))
    .filter((name) => /^[a-z-]+$/.test(name) && statSync(join(folder, SECRETS_FOLDER, name)).isFile())
    .map((name) => `${SECRETS_FOLDER}/${name}`);
}

/** On the disk before anything says that it is. */
function writeOwn(path: string, content: string): void {
  writeFileSync(path, content, { mode: OWNER_ONLY_FILE, flag: "wx", flush: true });
}

function copyOwn(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_EXCL);
  chmodSync(to, OWNER_ONLY_FILE);
  const file = openSync(to, "r+");
  fsyncSync(file);
  closeSync(file);
}

/** In pieces: a ledger outgrows what fits into memory. */
function hashOf(path: string): string {
  const hash = createHash("sha256");
  const piece = Buffer.alloc(HASHED_PIECE_BYTES);
  const file = openSync(path, "r");
  for (let length = readSync(file, piece); length > 0; length = readSync(file, piece))
    hash.update(piece.subarray(0, length));
  closeSync(file);
  return hash.digest("hex");
}

const HASHED_PIECE_BYTES = 1_048_576;
