/**
 * Seals a folder, by its options alone: what the command does, for a generator of static sites to call at the end of a
 * build. `docs/SITE-OWNERS.md` says how.
 */
import { join } from "node:path";
import { readKey } from "./key.ts";
import { CommandError } from "./problem.ts";
import {
  checkOffer,
  type Fetch,
  fetchMerchantRecord,
  fetchProvider,
  providerOrigin,
  readProviderFile,
} from "./provider.ts";
import type { SealingTerms } from "./seal-page.ts";
import { type Approve, type SealedSite, sealSite } from "./seal-site.ts";

export const BUILT_SNIPPET = join(import.meta.dirname, "../../dist/merchant/tuppence.js");
export const SNIPPET_PATH = "tuppence.js";

/** As the options of the command of the same names, where they are explained. */
export interface SealOptions {
  readonly key: string;
  readonly merchant: string;
  readonly provider: string;
  readonly price?: string;
  readonly walletUrl?: string;
  readonly offline?: string;
}

export interface FolderOptions extends SealOptions {
  readonly site: string;
  readonly out: string;
  readonly baseUrl: string;
  readonly snippet?: string;
  readonly snippetPath?: string;
  readonly state?: string;
}

export interface SealDeps {
  readonly fetch: Fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** @throws CommandError with a sentence for whoever builds the site; then nothing was written */
export async function sealFolder(
  options: FolderOptions,
  deps: SealDeps = { fetch, now: Date.now },
): Promise<SealedSite> {
  const { site, out } = options;
  const baseUrl = resourceOf(options.baseUrl, "--base-url").replace(/\/$/, "");
  const { terms, approve, notes } = await openTerms(options, deps);
  const folders = {
    from: site,
    to: out,
    baseUrl,
    snippetFile: options.snippet ?? BUILT_SNIPPET,
    snippetPath: options.snippetPath ?? SNIPPET_PATH,
    stateFile: options.state ?? `${out.replace(/[/\\]+$/, "")}.seals.json`,
    secretFile: options.key,
  };
  const sealed = await sealSite(folders, terms, approve);
  return { ...sealed, notes: [...notes, ...sealed.notes] };
}

/** What seals are made with, and who judges them. Without a provider to ask, nobody does. */
export async function openTerms(
  { key: keyFile, merchant, provider: address, price, walletUrl, offline }: SealOptions,
  { fetch: request, now }: SealDeps,
): Promise<{ terms: SealingTerms; approve: Approve; notes: readonly string[] }> {
  const key = await readKey(keyFile);
  const origin = providerOrigin(address);
  const isOffline = offline !== undefined;
  const provider = isOffline ? await readProviderFile(offline, origin) : await fetchProvider(origin, request);
  const merchantRecord = isOffline ? undefined : await fetchMerchantRecord(origin, merchant, request);
  const terms = {
    merchant,
    key,
    provider,
    merchantRecord,
    defaultPrice: price,
    walletUrl,
    nowSeconds: Math.floor(now() / 1_000),
  };
  const approve: Approve = isOffline ? async () => undefined : (offer) => checkOffer(origin, offer, request);
  const notes: string[] = [];
  if (provider.mode === "test")
    notes.push(`${provider.name} is in test mode: readers pay with play money. Seal anew for real money.`);
  if (isOffline)
    notes.push(
      "Nobody was asked: whether the provider takes seals of this key, its first reader will find out.",
    );
  else if (merchantRecord === undefined)
    notes.push("The provider gave no merchant record, so that each wallet will ask for it.");
  return { terms, approve, notes };
}

/** @throws CommandError where it is no address at which a browser would open anything */
export function resourceOf(text: string, name = "--resource"): string {
  // Elsewhere browsers keep from a page that came without TLS what it needs to open anything.
  const isLoopback = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\]|[\w-]+\.localhost)([:/]|$)/.test(text);
  if (!(text.startsWith("https://") || isLoopback) || !URL.canParse(text))
    throw new CommandError(`${name} ${text} is not an address that begins with https://.`);
  return text.replace(/#.*$/, "");
}
