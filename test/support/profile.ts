/** A browser's profile as somebody reads it who has the disk, but not the browser. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Of files in which this word stands as bytes, in either form in which a browser writes its strings. */
export async function namesOfFilesWith(folder: string, word: string): Promise<string[]> {
  const forms = (["utf8", "utf16le"] as const).map((encoding) => Buffer.from(word, encoding));
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = await readFile(join(entry.parentPath, entry.name));
    if (forms.some((form) => bytes.includes(form))) found.push(entry.name);
  }
  return found;
}
