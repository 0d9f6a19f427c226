/** Seals every marked page of a folder into another folder, and copies the rest beside them. */
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, extname, join, posix, relative, resolve, sep } from "node:path";
import { fileTexts, makeLeakFinder, publicTexts } from "./leak.ts";
import { CommandError } from "./problem.ts";
import { type SealedPage, type SealingTerms, sealPage } from "./seal-page.ts";

const PAGES = new Set([".html", ".htm"]);
/** What a site publishes its texts in, besides pages. */
const FEEDS = new Set([".xml", ".rss", ".atom", ".json", ".jsonld", ".txt", ".md"]);

export interface SiteFolders {
  readonly from: string;
  readonly to: string;
  /** Where `to` will stand, without a slash at its end. */
  readonly baseUrl: string;
  /** The built snippet, and where it goes within the site. */
  readonly snippetFile: string;
  readonly snippetPath: string;
}

export interface SealedSite {
  /** Paths of the sealed pages, with what each offers. */
  readonly pages: readonly { readonly path: string; readonly offer: SealedPage["offer"] }[];
  readonly copied: number;
}

/** Lets the provider judge one of the offers before anything is written; all are signed by the same key. */
export type Approve = (offer: SealedPage["offer"]) => Promise<void>;

/** Writes nothing at all unless every page seals and no file gives paid text away. @throws CommandError naming the file */
export async function sealSite(
  folders: SiteFolders,
  terms: SealingTerms,
  approve: Approve,
): Promise<SealedSite> {
  const from = resolve(folders.from);
  const to = resolve(folders.to);
  if (to === from || to.startsWith(from + sep))
    throw new CommandError("--out must not be --site or lie within it: the clear text would be published.");
  const snippet = await readSnippet(folders.snippetFile);
  const paths = (await listFiles(from)).map((path) => relative(from, path).split(sep).join("/"));

  const sealed = new Map<string, SealedPage>();
  const plain: string[] = [];
  for (const path of paths) {
    const page = PAGES.has(extname(path)) ? await seal(path) : undefined;
    if (page) sealed.set(path, page);
    else plain.push(path);
  }
  if (sealed.size === 0)
    throw new CommandError(
      `no page in ${folders.from} marks a paid part with <!-- tuppence:paid --> or data-tuppence-price.`,
    );
  await refuseLeaksAcrossSite();
  for (const { offer } of [...sealed.values()].slice(0, 1)) await approve(offer);

  for (const path of plain) await cp(join(from, path), join(to, path));
  for (const [path, { html }] of sealed) await put(join(to, path), html);
  await put(join(to, folders.snippetPath), snippet.content);
  return { pages: [...sealed].map(([path, { offer }]) => ({ path, offer })), copied: plain.length };

  async function seal(path: string): Promise<SealedPage | undefined> {
    const src = posix.relative(posix.dirname(path), folders.snippetPath);
    return inFile(path, async () =>
      sealPage(await readFile(join(from, path), "utf8"), addressOf(folders.baseUrl, path), terms, {
        src,
        integrity: snippet.integrity,
      }),
    );
  }

  async function refuseLeaksAcrossSite(): Promise<void> {
    const finders = [...sealed].map(([path, { paidHtml }]) => ({ path, find: makeLeakFinder(paidHtml) }));
    for (const path of paths) {
      const isPage = PAGES.has(extname(path));
      if (!isPage && !FEEDS.has(extname(path))) continue;
      const content = sealed.get(path)?.html ?? (await readFile(join(from, path), "utf8"));
      const texts = isPage ? publicTexts(content) : fileTexts(content);
      for (const { path: owner, find } of finders) {
        const run = texts.map(find).find((found) => found !== undefined);
        if (run !== undefined) throw new CommandError(`${path}: gives away paid text of ${owner}: “${run}”.`);
      }
    }
  }
}

/** The file's content, and its hash as a page pins it. */
export async function readSnippet(file: string): Promise<{ content: Buffer; integrity: string }> {
  const content = await readFile(file).catch(() => {
    throw new CommandError(`the snippet is not built: ${file} is missing. Run npm run build first.`);
  });
  return { content, integrity: `sha384-${createHash("sha384").update(content).digest("base64")}` };
}

/** Says which file a problem is in. */
export async function inFile<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof CommandError ? new CommandError(`${path}: ${error.message}`) : error;
  }
}

/** The address at which a static host answers with this file. */
export function addressOf(baseUrl: string, path: string): string {
  const page = path.replace(/(^|\/)index\.html?$/, "$1");
  return `${baseUrl}/${page.split("/").map(encodeURIComponent).join("/")}`;
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function put(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
