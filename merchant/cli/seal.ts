/** The command `tuppence seal`: seals one page, or all pages of a folder. `--help` says how. */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { formatMoney, parseMicros, ZERO } from "../../shared/money.ts";
import { readArguments } from "./arguments.ts";
import type { CommandDeps } from "./command.ts";
import { makeKey, readKey } from "./key.ts";
import { CommandError } from "./problem.ts";
import { checkOffer, fetchMerchantRecord, fetchProvider, providerOrigin } from "./provider.ts";
import { type SealedPage, sealPage } from "./seal-page.ts";
import { inFile, readSnippet, sealSite } from "./seal-site.ts";

const HELP = `Seals the paid part of a page, so that it can be published anywhere and opens for whoever pays.

  tuppence seal --make-key --key merchant-key.json
  tuppence seal --key merchant-key.json --merchant ID --provider ORIGIN --price 5¢ --resource URL input.html output.html
  tuppence seal --key merchant-key.json --merchant ID --provider ORIGIN --price 5¢ --base-url URL --site FOLDER --out FOLDER

Mark the paid part:  <!-- tuppence:paid -->…<!-- /tuppence:paid -->   or   <section data-tuppence-price="5¢">…</section>

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
} as const;

export const BUILT_SNIPPET = join(import.meta.dirname, "../../dist/merchant/tuppence.js");

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
  const merchant = need(values.merchant, "--merchant");
  const key = await readKey(keyFile);
  const provider = await fetchProvider(providerOrigin(need(values.provider, "--provider")), deps.fetch);
  const merchantRecord = await fetchMerchantRecord(provider.origin, merchant, deps.fetch);
  const nowSeconds = Math.floor(deps.now() / 1_000);
  const terms = {
    merchant,
    key,
    provider,
    merchantRecord,
    defaultPrice: values.price,
    walletUrl: values["wallet-url"],
    nowSeconds,
  };
  const approve = (offer: SealedPage["offer"]) => checkOffer(provider.origin, offer, deps.fetch);
  if (merchantRecord === undefined)
    deps.print("The provider gave no merchant record, so that each wallet will ask for it.");
  const snippetFile = values.snippet ?? BUILT_SNIPPET;
  const snippetPath = values["snippet-path"] ?? "tuppence.js";

  if (values.site !== undefined) {
    const folders = {
      from: values.site,
      to: need(values.out, "--out"),
      baseUrl: addressOf(need(values["base-url"], "--base-url"), "--base-url"),
      snippetFile,
      snippetPath,
    };
    const { pages, copied } = await sealSite(folders, terms, approve);
    for (const { path, offer } of pages) deps.print(`sealed  ${priceOf(offer, provider.currency)}  ${path}`);
    return deps.print(`${pages.length} pages sealed, ${copied} files copied to ${folders.to}.`);
  }

  const [input, output] = positionals;
  if (!input || !output)
    throw new CommandError("Name the page to read and the page to write, or use --site. --help says more.");
  if (resolve(input) === resolve(output))
    throw new CommandError("The page to write must not be the page to read: its clear text would be lost.");
  const resource = addressOf(need(values.resource, "--resource"), "--resource");
  const snippet = await readSnippet(snippetFile);
  const page = await inFile(input, async () =>
    sealPage(await readText(input), resource, terms, { src: snippetPath, integrity: snippet.integrity }),
  );
  if (!page)
    throw new CommandError(
      `${input}: nothing is marked as paid. Put <!-- tuppence:paid --> and <!-- /tuppence:paid --> around it.`,
    );
  await approve(page.offer);
  const folder = dirname(resolve(output));
  const snippetTarget = resolve(folder, snippetPath);
  await mkdir(folder, { recursive: true });
  await writeFile(output, page.html);
  // An absolute path is the site's own affair: which folder its root is, only the site knows.
  if (!relative(folder, snippetTarget).startsWith(`..${sep}`) && !snippetPath.startsWith("/")) {
    await mkdir(dirname(snippetTarget), { recursive: true });
    await writeFile(snippetTarget, snippet.content);
  } else deps.print(`Copy ${snippetFile} to ${snippetPath} on the site.`);
  deps.print(`sealed  ${priceOf(page.offer, provider.currency)}  ${output}  for ${resource}`);
}

function need(value: string | undefined, name: string): string {
  if (value === undefined || value === "")
    throw new CommandError(`${name} is missing. --help says what it is for.`);
  return value;
}

function addressOf(text: string, name: string): string {
  // Elsewhere browsers keep from a page that came without TLS what it needs to open anything.
  const isLoopback = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\]|[\w-]+\.localhost)([:/]|$)/.test(text);
  if (!(text.startsWith("https://") || isLoopback) || !URL.canParse(text))
    throw new CommandError(`${name} ${text} is not an address that begins with https://.`);
  return text.replace(/#.*$/, "").replace(/\/$/, name === "--base-url" ? "" : "/");
}

function priceOf(offer: SealedPage["offer"], currency: string): string {
  return formatMoney(parseMicros(offer.accepts[0]?.amount ?? "0") ?? ZERO, currency);
}

function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => {
    throw new CommandError("the file cannot be read.");
  });
}
