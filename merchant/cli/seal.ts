/** The command `tuppence seal`: seals one page, or all pages of a folder. `--help` says how. */

import { dirname, relative, resolve, sep } from "node:path";
import { formatMoney, parseMicros, ZERO } from "../../shared/money.ts";
import { readArguments } from "./arguments.ts";
import type { CommandDeps } from "./command.ts";
import { makeKey } from "./key.ts";
import { CommandError } from "./problem.ts";
import { BUILT_SNIPPET, openTerms, resourceOf, SNIPPET_PATH, sealFolder } from "./seal-folder.ts";
import { type Offer, sealPage } from "./seal-page.ts";
import { inFile, readSnippet, type SealedSite } from "./seal-site.ts";
import { putFile, readPageText } from "./site-files.ts";

const HELP = `Seals the paid part of a page, so that it can be published anywhere and opens for whoever pays.

  tuppence seal --make-key --key merchant-key.json
  tuppence seal --key merchant-key.json --merchant ID --provider ORIGIN --price 5¢ --resource URL input.html output.html
  tuppence seal --key merchant-key.json --merchant ID --provider ORIGIN --price 5¢ --base-url URL --site FOLDER --out FOLDER

Mark the paid part:  <!-- tuppence:paid -->…<!-- /tuppence:paid -->   or   <section data-tuppence-price="5¢">…</section>
Several on a page:   <!-- tuppence:paid 5¢ part=tides title="Tides" -->…   or   data-tuppence-part="tides" data-tuppence-title="Tides"

A folder is sealed again in a moment: what has not changed stays as it is, byte by byte.

  --make-key         write a fresh signing key to --key and print its public half, to be registered with the provider
  --key FILE         the merchant's signing key
  --merchant ID      the merchant's id at the provider
  --provider ORIGIN  the provider's anonymous origin, e.g. http://127.0.0.1:4020
  --price PRICE      where the mark itself names none: 5¢, $0.05
  --resource URL     the address at which the page will stand
  --base-url URL     the address at which the folder will stand
  --snippet FILE     the built snippet (dist/merchant/tuppence.js)
  --snippet-path P   where it goes, seen from the page, or in --site from the folder (tuppence.js)
  --wallet-url URL   where a reader without the wallet learns how to get it
  --state FILE       where the seals of a folder are kept for the next time (FOLDER.seals.json)
  --offline FILE     ask nobody: FILE is what ORIGIN/.well-known/tuppence.json answered once
`;

const OPTIONS = {
  "make-key": { type: "boolean" },
  help: { type: "boolean" },
  key: { type: "string" },
  merchant: { type: "string" },
  provider: { type: "string" },
  price: { type: "string" },
  resource: { type: "string" },
  site: { type: "string" },
  out: { type: "string" },
  "base-url": { type: "string" },
  snippet: { type: "string" },
  "snippet-path": { type: "string" },
  "wallet-url": { type: "string" },
  state: { type: "string" },
  offline: { type: "string" },
} as const;

/** @throws CommandError with a sentence for whoever ran it */
export async function runSeal(args: readonly string[], deps: CommandDeps): Promise<void> {
  const { values, positionals } = readArguments(args, OPTIONS);
  if (values.help || args.length === 0) return deps.print(HELP);
  const keyFile = need(values.key, "--key");
  if (values["make-key"]) {
    const { kty, crv, x } = (await makeKey(keyFile)).publicJwk;
    deps.note(
      `${keyFile} is written: keep it secret, and keep a copy. Register its public half as a seal key:`,
    );
    return deps.print(JSON.stringify({ kty, crv, x }));
  }
  const options = {
    key: keyFile,
    merchant: need(values.merchant, "--merchant"),
    provider: need(values.provider, "--provider"),
    ...(values.price === undefined ? {} : { price: values.price }),
    ...(values["wallet-url"] === undefined ? {} : { walletUrl: values["wallet-url"] }),
    ...(values.offline === undefined ? {} : { offline: values.offline }),
    snippet: values.snippet ?? BUILT_SNIPPET,
    snippetPath: values["snippet-path"] ?? SNIPPET_PATH,
  };
  if (values.site === undefined) {
    const resource = need(values.resource, "--resource");
    return sealOne({ ...options, resource, files: positionals }, deps);
  }
  const out = need(values.out, "--out");
  const site = await sealFolder(
    {
      ...options,
      site: values.site,
      out,
      baseUrl: need(values["base-url"], "--base-url"),
      ...(values.state === undefined ? {} : { state: values.state }),
    },
    deps,
  );
  tell(site, out, deps.print);
}

function tell(
  { pages, feeds, copied, sameFiles, removed, notes }: SealedSite,
  out: string,
  print: CommandDeps["print"],
): void {
  for (const note of notes) print(note);
  for (const { path, offers, outcome } of pages)
    if (outcome !== "unchanged") print(`${outcome.padEnd(7)}  ${offers.map(priceOf).join(" ")}  ${path}`);
  for (const path of feeds) print(`teasers  ${path}`);
  for (const path of removed) print(`removed  ${path}`);
  const count = (outcome: string) => pages.filter((page) => page.outcome === outcome).length;
  const written = count("written");
  print(
    `pages: ${count("sealed")} sealed, ${written} written around seals that stay, ${count("unchanged")} unchanged; other files: ${copied} copied to ${out}, ${sameFiles} unchanged; ${removed.length} removed.`,
  );
}

type PageOptions = Parameters<typeof openTerms>[0] & {
  readonly resource: string;
  readonly snippet: string;
  readonly snippetPath: string;
  /** The page to read, and the page to write. */
  readonly files: readonly string[];
};

async function sealOne(options: PageOptions, deps: CommandDeps): Promise<void> {
  const { snippet: snippetFile, snippetPath } = options;
  const [input, output] = options.files;
  if (!input || !output)
    throw new CommandError("Name the page to read and the page to write, or use --site. --help says more.");
  if (resolve(input) === resolve(output))
    throw new CommandError("The page to write must not be the page to read: its clear text would be lost.");
  const resource = resourceOf(options.resource);
  const { terms, approve, notes } = await openTerms(options, deps);
  for (const note of notes) deps.print(note);
  const snippet = await readSnippet(snippetFile);
  const page = await inFile(input, async () =>
    sealPage(await readPageText(input), resource, terms, { src: snippetPath, integrity: snippet.integrity }),
  );
  if (!page)
    throw new CommandError(
      `${input}: nothing is marked as paid. Put <!-- tuppence:paid --> and <!-- /tuppence:paid --> around it.`,
    );
  for (const { offer } of page.parts.slice(0, 1)) await approve(offer);
  const folder = dirname(resolve(output));
  const snippetTarget = resolve(folder, snippetPath);
  await putFile(output, page.html);
  // An absolute path is the site's own affair: which folder its root is, only the site knows.
  if (!relative(folder, snippetTarget).startsWith(`..${sep}`) && !snippetPath.startsWith("/"))
    await putFile(snippetTarget, snippet.content);
  else deps.print(`Copy ${snippetFile} to ${snippetPath} on the site.`);
  for (const note of page.notes) deps.print(`${input}: ${note}`);
  for (const { offer } of page.parts)
    deps.print(`sealed  ${priceOf(offer)}  ${output}  for ${offer.resource.url}`);
}

function need(value: string | undefined, name: string): string {
  if (value === undefined || value === "")
    throw new CommandError(`${name} is missing. --help says what it is for.`);
  return value;
}

function priceOf({ accepts: [terms] }: Offer): string {
  return formatMoney(parseMicros(terms?.amount ?? "0") ?? ZERO, terms?.asset);
}
