/**
 * How many articles a second a site is sealed with, from the folder in clear to the published one: read, cut, encrypted, signed,
 * looked through for leaks, written. Then the same folder again, where nothing has changed. Beside it, in the same run, what
 * cannot be left out: AES-GCM over the same texts and an Ed25519 signature for each, by `node:crypto`.
 */
import { createCipheriv, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SiteFolders, sealSite } from "../merchant/cli/seal-site.ts";
import { toBase64url } from "../shared/bytes.ts";
import { signingKeyFromSeed } from "../shared/jws.ts";
import { micros } from "../shared/money.ts";
import type { Part } from "./row.ts";

const ARTICLES = 1_000;
/** About as long as one of a newspaper. */
const WORDS_EACH = 800;
const VOCABULARY = 5_000;
const MILLISECONDS_PER_SECOND = 1_000;

export const seal: Part = {
  name: "seal",
  async measure() {
    const folder = await mkdtemp(join(tmpdir(), "tuppence-bench-seal-"));
    try {
      return await measureIn(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function measureIn(folder: string) {
  const paid = Array.from({ length: ARTICLES }, writeArticle);
  const folders: SiteFolders = {
    from: join(folder, "clear"),
    to: join(folder, "public"),
    baseUrl: "https://lantern.example",
    snippetFile: join(folder, "snippet.js"),
    snippetPath: "tuppence.js",
    stateFile: join(folder, "seals.json"),
  };
  await mkdir(folders.from);
  await writeFile(folders.snippetFile, "export {};");
  for (const [index, text] of paid.entries())
    await writeFile(join(folders.from, `${index}.html`), pageOf(index, text));
  const terms = await makeTerms();
  const run = async (outcome: string) => {
    const began = performance.now();
    const { pages } = await sealSite(folders, terms, async () => undefined);
    const rate = rateSince(began);
    if (pages.some((page) => page.outcome !== outcome)) throw new Error(`not every page is ${outcome}`);
    return rate;
  };
  const sealed = await run("sealed");
  const again = await run("unchanged");
  const bare = measureBare(paid);
  const count = ARTICLES.toLocaleString("en-US");
  return [
    {
      name: "seal.articles_per_s",
      value: sealed,
      unit: "/s",
      baseline: `${count} articles of ${WORDS_EACH} words; AES-256-GCM and an Ed25519 signature alone, by node:crypto: ${Math.round(bare).toLocaleString("en-US")}`,
    },
    {
      name: "seal.unchanged_articles_per_s",
      value: again,
      unit: "/s",
      baseline: "the same folder sealed again: nothing is written",
    },
  ] as const;
}

function measureBare(texts: readonly string[]): number {
  const { privateKey } = generateKeyPairSync("ed25519");
  const began = performance.now();
  for (const text of texts) {
    const cipher = createCipheriv("aes-256-gcm", randomBytes(32), randomBytes(12));
    const bytes = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    sign(null, bytes, privateKey);
  }
  return rateSince(began);
}

function writeArticle(): string {
  const numbers = new Uint16Array(randomBytes(2 * WORDS_EACH).buffer.slice(0, 2 * WORDS_EACH));
  const words = [...numbers].map((number) => `w${(number % VOCABULARY).toString(36)}`);
  const paragraphs = Array.from({ length: WORDS_EACH / 80 }, (_, index) =>
    words.slice(index * 80, index * 80 + 80).join(" "),
  );
  return paragraphs.map((paragraph) => `<p>${paragraph}.</p>`).join("\n");
}

function pageOf(index: number, paid: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Article ${index}</title></head><body><h1>Article ${index}</h1><p>What it is about, in a sentence that everybody may read.</p><!-- tuppence:paid 5¢ -->${paid}<!-- /tuppence:paid --></body></html>`;
}

async function makeTerms() {
  const provider = generateKeyPairSync("x25519").publicKey.export({ format: "jwk" });
  return {
    merchant: "the-lantern",
    key: await signingKeyFromSeed(new Uint8Array(randomBytes(32))),
    provider: {
      name: "P",
      origin: "https://pay.example",
      accountsOrigin: "https://accounts.example",
      currency: "USD",
      unit: "usd6",
      network: "tuppence:usd" as const,
      sandbox: true,
      mode: "live" as const,
      sealingKey: {
        kty: "OKP" as const,
        crv: "X25519" as const,
        x: provider.x ?? toBase64url(new Uint8Array(32)),
      },
      topUps: { gateways: [], least: micros(0), most: micros(0) },
      largestPayment: micros(10_000_000),
    },
    merchantRecord: undefined,
    defaultPrice: undefined,
    walletUrl: undefined,
    nowSeconds: Math.floor(Date.now() / MILLISECONDS_PER_SECOND),
  };
}

function rateSince(began: number): number {
  return (ARTICLES * MILLISECONDS_PER_SECOND) / (performance.now() - began);
}
