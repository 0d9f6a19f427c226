/**
 * Seals every marked page of a folder into another folder, cuts its feeds down to teasers, and copies the rest beside them.
 *
 * read everything → seal → look for leaks → let the provider judge → keep the seals → write, file by file, what differs → remove
 *
 * Nothing is written before all is well, no file is ever there in halves, and clear text never lies in the published folder.
 */
import { createHash } from "node:crypto";
import { readFile, realpath, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join, posix, resolve } from "node:path";
import { parse } from "parse5";
import { formatMoney } from "../../shared/money.ts";
import { CUT_CLASS, cutFeed } from "./feed.ts";
import { type KeptSeals, readKeptSeals } from "./kept-seals.ts";
import { fileTexts, makeLeakFinder, publicTexts } from "./leak.ts";
import { findMarked, MARK_WORDS } from "./marked.ts";
import { isSealed } from "./page.ts";
import { CommandError } from "./problem.ts";
import { type Offer, readPrice, type SealedPage, type SealingTerms, sealPage } from "./seal-page.ts";
import {
  copyChangedFile,
  isWithin,
  listFiles,
  MAX_SEARCHED_BYTES,
  putChangedFile,
  readPageText,
  removeUnfinished,
  textOf,
} from "./site-files.ts";

const PAGES = new Set([".html", ".htm"]);
/** In what a mark can be cut out. */
const FEEDS = new Set([".xml", ".rss", ".atom", ".rdf", ".json"]);
/** Of these it is certain that they hold no text that somebody wrote. */
const NO_TEXT = /\.(?:png|jpe?g|gif|webp|avif|ico|woff2?|ttf|otf|mp[34]|m4a|ogg|webm|pdf|zip|wasm)$/i;
const COMPRESSED = /\.(?:gz|br|zst)$/i;

export interface SiteFolders {
  readonly from: string;
  readonly to: string;
  /** Where `to` will stand, without a slash at its end. */
  readonly baseUrl: string;
  /** The built snippet, and where it goes within the site. */
  readonly snippetFile: string;
  readonly snippetPath: string;
  /** Where the seals are kept for the next time; without it every page is sealed anew. */
  readonly stateFile?: string;
  /** What must not be published, whoever put it into the folder: the key. */
  readonly secretFile?: string;
}

export interface SealedSite {
  readonly pages: readonly SitePage[];
  /** Feeds that were cut down to teasers. */
  readonly feeds: readonly string[];
  /** Other files: those that were copied, and how many stood there already. */
  readonly copied: number;
  readonly sameFiles: number;
  /** What the last run had published, and the site has no more. */
  readonly removed: readonly string[];
  readonly notes: readonly string[];
}

export interface SitePage {
  readonly path: string;
  readonly offers: readonly Offer[];
  /** `sealed`: at least one part anew. `written`: only what stands around them is another. `unchanged`: byte by byte. */
  readonly outcome: "sealed" | "written" | "unchanged";
}

/** Lets the provider judge an offer before anything is written; all are signed by the same key. */
export type Approve = (offer: Offer) => Promise<void>;

interface Site {
  readonly paths: readonly string[];
  readonly sealed: ReadonlyMap<string, SealedPage>;
  readonly feeds: ReadonlyMap<string, string>;
  /** Of every other file that has any. */
  readonly texts: ReadonlyMap<string, readonly string[]>;
}

/** Writes nothing at all unless every page seals and no file gives paid text away. @throws CommandError naming the file */
export async function sealSite(
  folders: SiteFolders,
  terms: SealingTerms,
  approve: Approve,
): Promise<SealedSite> {
  const [from, to] = await checkFolders(folders);
  const snippet = await readSnippet(folders.snippetFile);
  const kept =
    folders.stateFile === undefined ? undefined : await readKeptSeals(folders.stateFile, terms.key);
  let site = await readSite(from, folders, terms, snippet.integrity, kept);
  if (site.sealed.size === 0)
    throw new CommandError(
      `no page in ${folders.from} marks a paid part with <!-- tuppence:paid --> or data-tuppence-price.`,
    );
  const safeFolders = new Set<string>();
  const target = new Set([...site.paths, folders.snippetPath]);
  refuseLeaks(site);
  await refuseClearText(to, new Set([...target, ...(kept?.files ?? [])]));
  if (kept && !(await isStillGood(site, approve))) {
    kept.forget();
    site = await readSite(from, folders, terms, snippet.integrity, kept);
  }
  const fresh = partsOf(site).find(({ isFresh }) => isFresh);
  if (fresh) await approve(fresh.offer);

  await kept?.write([...new Set([...target, ...kept.files])].sort());
  const pages: SitePage[] = [];
  await sideBySide(
    [...site.sealed],
    async ([path, { html }]) => putChangedFile(await placeFor(path), html),
    ([path, { parts }], isWritten) => {
      const outcome = parts.some(({ isFresh }) => isFresh) ? "sealed" : isWritten ? "written" : "unchanged";
      pages.push({ path, offers: parts.map(({ offer }) => offer), outcome });
    },
  );
  for (const [path, content] of site.feeds) await putChangedFile(await placeFor(path), content);
  let copied = 0;
  const others = site.paths.filter(
    (path) => !site.sealed.has(path) && !site.feeds.has(path) && path !== folders.snippetPath,
  );
  await sideBySide(
    others,
    async (path) => copyChangedFile(join(from, path), await placeFor(path)),
    (_path, isCopied) => {
      if (isCopied) copied++;
    },
  );
  await putChangedFile(await placeFor(folders.snippetPath), snippet.content);

  const removed: string[] = [];
  for (const path of kept?.files ?? []) {
    if (target.has(path) || !(await isFile(join(to, path)))) continue;
    await rm(await placeFor(path));
    removed.push(path);
  }
  await removeUnfinished(to);
  await kept?.write([...target].sort());
  return {
    pages,
    feeds: [...site.feeds.keys()],
    copied,
    sameFiles: others.length - copied,
    removed,
    notes: [...site.sealed].flatMap(([path, { notes }]) => notes.map((note) => `${path}: ${note}`)),
  };

  async function placeFor(path: string): Promise<string> {
    const place = join(to, path);
    const parent = dirname(place);
    if (!safeFolders.has(parent)) {
      await refuseForeignFolder(parent, to, path);
      safeFolders.add(parent);
    }
    return place;
  }
}

/** A folder of the published site may be a link; one that leads out of it would have files written somewhere else. */
async function refuseForeignFolder(folder: string, to: string, path: string): Promise<void> {
  let existing = folder;
  while (existing !== to && !(await stat(existing).catch(() => undefined))) existing = dirname(existing);
  const root = await realpath(to).catch(() => to);
  if (!isWithin(root, await realpath(existing).catch(() => root)))
    throw new CommandError(`${path}: its folder in ${to} is a link out of it.`);
}

/** The file's content, and its hash as a page pins it. */
export async function readSnippet(file: string): Promise<{ content: Buffer; integrity: string }> {
  const content = await readFile(file).catch(() => {
    throw new CommandError(`the snippet is not built: ${file} is missing. Run npm run build first.`);
  });
  return { content, integrity: `sha384-${createHash("sha384").update(content).digest("base64")}` };
}

/** Says which file a problem is in. */
export async function inFile<T>(path: string, work: () => T | Promise<T>): Promise<T> {
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

async function checkFolders({ from, to, stateFile, secretFile }: SiteFolders): Promise<[string, string]> {
  const site = await realpath(from).catch(() => {
    throw new CommandError(`the folder ${from} cannot be read.`);
  });
  const out = await realpath(to).catch(() => resolve(to));
  if (isWithin(site, out))
    throw new CommandError(
      "--out must not be --site or lie within it: whatever fails, the clear text would be published. Let your generator write into a folder that is not published.",
    );
  if (isWithin(out, site))
    throw new CommandError("--site must not lie within --out: the clear text would be published.");
  for (const [name, file] of [
    ["--state", stateFile],
    ["--key", secretFile],
  ] as const) {
    const path = file === undefined ? undefined : await realpath(file).catch(() => resolve(file));
    if (path !== undefined && (isWithin(site, path) || isWithin(out, path)))
      throw new CommandError(
        `the file of ${name} must lie in neither of the two folders: it would be published.`,
      );
  }
  return [site, out];
}

async function readSite(
  from: string,
  folders: SiteFolders,
  terms: SealingTerms,
  integrity: string,
  kept: KeptSeals | undefined,
): Promise<Site> {
  const paths = await listFiles(from);
  const feedTerms = {
    priceOf: ({ price }: { readonly price: string | undefined }) =>
      formatMoney(readPrice(price ?? terms.defaultPrice, terms.provider), terms.provider.currency),
  };
  const sealed = new Map<string, SealedPage>();
  const feeds = new Map<string, string>();
  const texts = new Map<string, readonly string[]>();
  await sideBySide(
    paths,
    (path) => inFile(path, () => (PAGES.has(extensionOf(path)) ? readPage(path) : readOther(path))),
    (path, file) => {
      if (file.page) sealed.set(path, file.page);
      if (file.feed !== undefined) feeds.set(path, file.feed);
      if (file.texts) texts.set(path, file.texts);
    },
  );
  for (const path of paths) {
    const clear = path.replace(COMPRESSED, "");
    if (clear !== path && (sealed.has(clear) || feeds.has(clear)))
      throw new CommandError(
        `${path}: holds the clear text of ${clear}. Compress the sealed folder instead.`,
      );
  }
  return { paths, sealed, feeds, texts };

  async function readPage(path: string): Promise<SiteFile> {
    const source = await readPageText(join(from, path));
    const src = posix.relative(posix.dirname(path), folders.snippetPath);
    const page = await sealPage(source, addressOf(folders.baseUrl, path), terms, { src, integrity }, kept);
    return page ? { page } : { texts: publicTexts(source) };
  }

  async function readOther(path: string): Promise<SiteFile> {
    const file = join(from, path);
    if (NO_TEXT.test(path) || (await stat(file)).size > MAX_SEARCHED_BYTES) return {};
    const bytes = await readFile(file);
    const content = textOf(bytes);
    const isFeed = FEEDS.has(extensionOf(path));
    const isMarked = MARK_WORDS.test(content ?? bytes.toString("latin1"));
    if (content === undefined && (isFeed || isMarked))
      throw new CommandError("the file is not text in UTF-8: save it as that, and seal again.");
    if (content === undefined) return {};
    if (!isMarked) return { texts: fileTexts(content) };
    if (!isFeed)
      throw new CommandError(
        "a paid part is marked in it, but it is neither a page nor a feed, so that its text would be published in clear.",
      );
    const feed = cutFeed(content, feedTerms);
    return { texts: fileTexts(feed), ...(feed === content ? {} : { feed }) };
  }
}

interface SiteFile {
  readonly page?: SealedPage;
  readonly feed?: string;
  readonly texts?: readonly string[];
}

/** As many files at once as keep a disk and the threads of the cryptography busy; what comes of them is taken in their order. */
const FILES_AT_ONCE = 32;

/** @throws what the first of the failing ones throws, in the order of the items */
async function sideBySide<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  take: (item: Item, result: Result) => void,
): Promise<void> {
  for (let from = 0; from < items.length; from += FILES_AT_ONCE) {
    const some = items.slice(from, from + FILES_AT_ONCE);
    const outcomes = await Promise.allSettled(some.map(work));
    some.forEach((item, index) => {
      const outcome = outcomes[index];
      if (outcome?.status === "rejected") throw outcome.reason;
      if (outcome) take(item, outcome.value);
    });
  }
}

function extensionOf(path: string): string {
  return extname(path).toLowerCase();
}

function partsOf({ sealed }: Site): SealedPage["parts"] {
  return [...sealed.values()].flatMap(({ parts }) => parts);
}

function refuseLeaks({ sealed, texts }: Site): void {
  const find = makeLeakFinder(
    [...sealed].flatMap(([owner, { parts }]) => parts.map(({ paidHtml }) => ({ owner, html: paidHtml }))),
  );
  const all = [...texts, ...[...sealed].map(([path, page]) => [path, page.texts] as const)];
  for (const [path, pieces] of all) {
    for (const piece of pieces) {
      const leak = find(piece);
      if (leak) throw new CommandError(`${path}: gives away paid text of ${leak.owner}: “${leak.run}”.`);
    }
  }
}

/** A page in clear that lies in the published folder, from whoever put it there, is published as well. */
async function refuseClearText(to: string, known: ReadonlySet<string>): Promise<void> {
  if (!(await stat(to).catch(() => undefined))?.isDirectory()) return;
  for (const path of await listFiles(to)) {
    const extension = extensionOf(path);
    if (known.has(path) || !(PAGES.has(extension) || FEEDS.has(extension))) continue;
    const content = (await readFile(join(to, path))).toString();
    if (!MARK_WORDS.test(content)) continue;
    if (PAGES.has(extension) ? !isClear(content) : content.includes(CUT_CLASS)) continue;
    throw new CommandError(
      `${basename(to)}/${path}: lies in the folder that is published, in clear, and is no file of the site. Remove it.`,
    );
  }
}

/** Where the marks are found and what they mark is not sealed. */
function isClear(html: string): boolean {
  try {
    const parts = findMarked(parse(html, { sourceCodeLocationInfo: true }), html);
    return parts.some((part) => !isSealed(part, html));
  } catch {
    return true;
  }
}

/** The provider may have stopped taking seals of that time (`sealsValidFrom`): then they are all made anew. */
async function isStillGood(site: Site, approve: Approve): Promise<boolean> {
  const [oldest] = partsOf(site)
    .filter(({ isFresh }) => !isFresh)
    .toSorted((a, b) => a.issuedAtSeconds - b.issuedAtSeconds);
  if (!oldest) return true;
  return approve(oldest.offer).then(
    () => true,
    () => false,
  );
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}
