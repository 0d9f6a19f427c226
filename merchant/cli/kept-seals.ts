/**
 * The seals of the last time, in a file beside the published folder. A seal is random, so that sealing again would change
 * every page; with these, what has not changed comes out as it was, byte by byte. Pages are made anew each time and only written
 * where they differ, so that nothing depends on what the folder holds: a page that was altered there is put right.
 *
 * The file holds no clear text and no key. The merchant's signature stands over the seals: of a file that was damaged, or that
 * another key signed, none is taken, and everything is sealed anew. The names of files only serve to remove what the site has no more.
 */
import { readFile } from "node:fs/promises";
import { isAbsolute, normalize } from "node:path";
import * as v from "valibot";
import { sha256, toBase64url } from "../../shared/bytes.ts";
import { canonicalJson } from "../../shared/canonical.ts";
import { type SigningKey, signJws, thumbprintOf, verifyJws } from "../../shared/jws.ts";
import { CommandError } from "./problem.ts";
import { putFile } from "./site-files.ts";

/** Above what a text in JavaScript may be, the file could not be read again. */
const MAX_FILE_LENGTH = 256 * 1_024 * 1_024;
const PROOF_TYPE = "tuppence-kept-seals+jwt";
const VERSION = 1;

const SealedText = v.object({
  seal: v.string(),
  sealed: v.string(),
  /** As it was fetched then. */
  merchantRecord: v.exactOptional(v.string()),
  issuedAtSeconds: v.number(),
});
/** What a page carries of a part, apart from the words around it. */
export type SealedText = v.InferOutput<typeof SealedText>;

const KeptFile = v.object({
  version: v.literal(VERSION),
  /** Within the published folder. */
  files: v.array(v.pipe(v.string(), v.check(isWithin))),
  seals: v.array(v.object({ fingerprint: v.string(), ...SealedText.entries })),
  proof: v.string(),
});
const ProofClaims = v.object({ hash: v.string() });

export interface KeptSeals {
  /** Files that were written the last time. */
  readonly files: readonly string[];
  find(fingerprint: string): SealedText | undefined;
  keep(fingerprint: string, text: SealedText): void;
  /** Takes nothing from the last time any more. */
  forget(): void;
  /** Writes down what was found or kept, and nothing else. @throws CommandError */
  write(files: readonly string[]): Promise<void>;
}

/** Nothing is kept where there is no file, or where it is not this key's. */
export async function readKeptSeals(path: string, key: SigningKey): Promise<KeptSeals> {
  const file = v.safeParse(KeptFile, await readJson(path));
  const { files, seals } = file.success ? file.output : { files: [], seals: [] };
  const isGenuine = file.success && (await isSigned(file.output, key));
  const before = new Map(isGenuine ? seals.map(({ fingerprint, ...text }) => [fingerprint, text]) : []);
  const used = new Map<string, SealedText>();
  return {
    files,
    find(fingerprint) {
      const text = before.get(fingerprint);
      if (text) used.set(fingerprint, text);
      return text;
    },
    keep: (fingerprint, text) => void used.set(fingerprint, text),
    forget() {
      before.clear();
      used.clear();
    },
    async write(written) {
      const kept = [...used]
        .map(([fingerprint, text]) => ({ fingerprint, ...text }))
        .sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
      const proof = await signJws(PROOF_TYPE, { hash: await hashOf(kept) }, key, "kid");
      const text = `${JSON.stringify({ version: VERSION, files: written, seals: kept, proof })}\n`;
      if (text.length > MAX_FILE_LENGTH)
        throw new CommandError(
          "the seals of this site are too many to be kept in one file: seal its folders one by one.",
        );
      await putFile(path, text);
    },
  };
}

async function isSigned({ seals, proof }: v.InferOutput<typeof KeptFile>, key: SigningKey): Promise<boolean> {
  const named = { ...key.publicJwk, kid: await thumbprintOf(key.publicJwk) };
  const claims = await verifyJws(PROOF_TYPE, proof, [named], ProofClaims);
  return claims !== undefined && claims.hash === (await hashOf(seals));
}

async function hashOf(seals: readonly object[]): Promise<string> {
  return toBase64url(await sha256(canonicalJson(seals)));
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** A name that leads out of the folder would have a file removed that is none of ours. */
function isWithin(path: string): boolean {
  return (
    path !== "" && !isAbsolute(path) && !/^\.\.(?:[/\\]|$)/.test(normalize(path)) && !path.includes("\0")
  );
}
