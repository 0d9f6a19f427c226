/** The merchant's signing key: a file of the merchant's own, whose public half is registered with the provider. */
import { chmod, readFile, writeFile } from "node:fs/promises";
import * as v from "valibot";
import { fromBase64url, toBase64url } from "../../shared/bytes.ts";
import { type SigningKey, signingKeyFromSeed } from "../../shared/jws.ts";
import { Ed25519PublicJwk } from "../../shared/protocol/provider.ts";
import { CommandError } from "./problem.ts";

/** A private JWK (RFC 8037). */
const PrivateJwk = v.object({
  ...Ed25519PublicJwk.entries,
  d: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/)),
});
const OWNER_ONLY = 0o600;

/** Writes a fresh key, readable by its owner only. Never over an old one: pages sealed with that would be lost. */
export async function makeKey(path: string): Promise<SigningKey> {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const key = await signingKeyFromSeed(seed);
  try {
    await writeFile(path, `${JSON.stringify({ ...key.publicJwk, d: toBase64url(seed) }, null, 2)}\n`, {
      flag: "wx",
      mode: OWNER_ONLY,
    });
  } catch (error) {
    throw new CommandError(
      `${path} cannot be written: ${error instanceof Error && "code" in error && error.code === "EEXIST" ? "there is a key already, and it stays" : error}.`,
    );
  }
  await chmod(path, OWNER_ONLY);
  return key;
}

export async function readKey(path: string): Promise<SigningKey> {
  const text = await readFile(path, "utf8").catch(() => {
    throw new CommandError(
      `${path} cannot be read. Make a key with --make-key --key ${path}, and register what it prints with your provider.`,
    );
  });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  const jwk = v.safeParse(PrivateJwk, parsed);
  if (!jwk.success) throw new CommandError(`${path} is not a key that --make-key wrote.`);
  const key = await signingKeyFromSeed(fromBase64url(jwk.output.d));
  if (key.publicJwk.x !== jwk.output.x)
    throw new CommandError(`${path} holds two halves that do not belong together.`);
  return key;
}
