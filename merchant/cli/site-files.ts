/** The files of a site, read and written so that nothing is lost and nothing is written in halves. */
import { randomUUID } from "node:crypto";
import {
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { CommandError } from "./problem.ts";

/** More than any article, and as much as a reader's browser decrypts without a pause. */
const MAX_PAGE_BYTES = 4 * 1_024 * 1_024;
/** What is larger is no text that anybody wrote, and is not searched for paid text. */
export const MAX_SEARCHED_BYTES = 16 * 1_024 * 1_024;
const MAX_FILES = 100_000;
/** The end of the name that a file has while it is being written. */
const UNFINISHED = ".tuppence-unfinished";

/**
 * Paths within the folder, with slashes, in order. A link is followed to a file of the same folder, and is refused
 * otherwise: left out, the site would lack it; followed, the site would hold what is not its own.
 */
export async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => {
    throw new CommandError(`the folder ${folder} cannot be read.`);
  });
  const root = await realpath(folder);
  const paths: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join("/");
    if (name.endsWith(UNFINISHED)) continue;
    if (entry.isSymbolicLink()) await refuseForeignLink(path, name, root);
    if (entry.isFile() || entry.isSymbolicLink()) paths.push(name);
    if (paths.length > MAX_FILES)
      throw new CommandError(`${folder} holds more than ${MAX_FILES.toLocaleString("en-US")} files.`);
  }
  return paths.sort();
}

async function refuseForeignLink(path: string, name: string, root: string): Promise<void> {
  const target = await realpath(path).catch(() => undefined);
  if (target === undefined) throw new CommandError(`${name}: is a link to nothing.`);
  if (!isWithin(root, target))
    throw new CommandError(`${name}: is a link out of the folder. Put the file itself there.`);
  if (!(await stat(path)).isFile())
    throw new CommandError(`${name}: is a link to a folder. Put its files themselves there.`);
}

/** @throws CommandError where it is too large, or not in UTF-8 */
export async function readPageText(path: string): Promise<string> {
  const { size } = await stat(path).catch(() => {
    throw new CommandError("the file cannot be read.");
  });
  if (size > MAX_PAGE_BYTES)
    throw new CommandError(
      `the file has ${(size / 1_024 / 1_024).toFixed(1)} MB, and a page may have ${MAX_PAGE_BYTES / 1_024 / 1_024}: move pictures that stand in it into files, or divide it.`,
    );
  const text = textOf(await readFile(path));
  if (text === undefined)
    throw new CommandError("the file is not text in UTF-8: save it as that, and seal again.");
  return text;
}

/** Undefined for what is no text in UTF-8. A byte order mark stays: it may be all that says how to read the file. */
export function textOf(content: Uint8Array): string | undefined {
  if (content.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}

/** Whoever looks meanwhile, or after a crash, finds the file as it was or as it is to be. */
export async function putFile(path: string, content: string | Uint8Array): Promise<void> {
  await putBy(path, (unfinished) => writeFile(unfinished, content));
}

/** Answers whether it was written: what has the same content is left alone. */
export async function putChangedFile(path: string, content: string | Uint8Array): Promise<boolean> {
  const before = await readFile(path).catch(() => undefined);
  const isLink = before !== undefined && (await lstat(path)).isSymbolicLink();
  if (before?.equals(typeof content === "string" ? Buffer.from(content) : content) && !isLink) return false;
  await putFile(path, content);
  return true;
}

/** Answers whether it was copied. Of a file that is too large to be held it is not looked whether it is the same. */
export async function copyChangedFile(from: string, to: string): Promise<boolean> {
  if ((await stat(from)).size <= MAX_SEARCHED_BYTES) return putChangedFile(to, await readFile(from));
  await putBy(to, (unfinished) => copyFile(from, unfinished));
  return true;
}

export function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

async function putBy(path: string, write: (unfinished: string) => Promise<unknown>): Promise<void> {
  const unfinished = `${path}.${randomUUID()}${UNFINISHED}`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await write(unfinished);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw new CommandError(`${path} cannot be written: ${error instanceof Error ? error.message : error}`);
  }
}

/** What a run that was killed left behind. */
export async function removeUnfinished(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  for (const { parentPath, name } of entries)
    if (name.endsWith(UNFINISHED)) await rm(join(parentPath, name), { force: true });
}
