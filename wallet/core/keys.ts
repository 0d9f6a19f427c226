/**
 * Every key of the wallet, from the recovery phrase: BIP-39 (12 words, no passphrase), then HKDF-SHA256 under the
 * salts and infos of docs/PROTOCOL.md, "Keys". All by WebCrypto.
 */
import { entropyToMnemonic, mnemonicToSeedWebcrypto, validateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { type Bytes, fromHex, sha256, toHex, utf8 } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import { type SigningKey, signingKeyFromSeed, thumbprintOf } from "../../shared/jws.ts";

/** Twelve words. */
export const PHRASE_BYTES = 16;
const NUT13_SEED_BYTES = 64;

export interface WalletKeys {
  readonly account: SigningKey;
  /** NUT-13 seeds. */
  readonly withdrawSeed: Bytes;
  readonly swapSeed: Bytes;
  /** The secp256k1 key that locks the n-th mint quote (NUT-20), hex. */
  quoteKey(counter: number): Promise<string>;
  paymentId(counter: number): Promise<string>;
  payment(paymentId: string): Promise<PaymentKeys>;
}

/** What belongs to one payment and to no other. */
export interface PaymentKeys {
  readonly holder: SigningKey;
  readonly holderThumbprint: string;
  /** Hex, 32 bytes; whoever reveals it asks for the money back. */
  readonly refundPreimage: string;
  readonly refundHash: string;
  /** NUT-13 seeds. */
  changeSeed(): Promise<Bytes>;
  refundSeed(): Promise<Bytes>;
}

export function makePhrase(entropy: Uint8Array): string {
  return entropyToMnemonic(entropy, wordlist);
}

/** The phrase with its words as they stand in the list. @throws TuppenceError phrase_invalid */
export function readPhrase(typed: string): string {
  const phrase = typed.normalize("NFKD").trim().toLowerCase().split(/\s+/).join(" ");
  if (!validateMnemonic(phrase, wordlist)) throw new TuppenceError("phrase_invalid");
  return phrase;
}

export async function seedOf(phrase: string): Promise<string> {
  return toHex(await mnemonicToSeedWebcrypto(phrase));
}

export async function openKeys(seedHex: string): Promise<WalletKeys> {
  const seed = await crypto.subtle.importKey("raw", fromHex(seedHex), "HKDF", false, ["deriveBits"]);
  const derive = async (info: string, length: number, salt: Bytes = new Uint8Array(0)): Promise<Bytes> => {
    const bits = await crypto.subtle.deriveBits(
      { name: "HKDF", hash: "SHA-256", salt, info: utf8(info) },
      seed,
      8 * length,
    );
    return new Uint8Array(bits);
  };
  const paymentIdKey = derive("tuppence payment id v1", 32).then((key) =>
    crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]),
  );
  const payment = async (paymentId: string): Promise<PaymentKeys> => {
    const salt = fromHex(paymentId);
    const [holder, preimage] = await Promise.all([
      derive("tuppence holder v1", 32, salt).then(signingKeyFromSeed),
      derive("tuppence refund v1", 32, salt),
    ]);
    return {
      holder,
      holderThumbprint: await thumbprintOf(holder.publicJwk),
      refundPreimage: toHex(preimage),
      refundHash: toHex(await sha256(preimage)),
      changeSeed: () => derive("tuppence change v1", NUT13_SEED_BYTES, salt),
      refundSeed: () => derive("tuppence refund outputs v1", NUT13_SEED_BYTES, salt),
    };
  };
  const [account, withdrawSeed, swapSeed] = await Promise.all([
    derive("tuppence account v1", 32).then(signingKeyFromSeed),
    derive("tuppence withdraw v1", NUT13_SEED_BYTES),
    derive("tuppence swap v1", NUT13_SEED_BYTES),
  ]);
  return {
    account,
    withdrawSeed,
    swapSeed,
    quoteKey: async (counter) => toHex(await derive("tuppence quote v1", 32, bigEndian64(counter))),
    paymentId: async (counter) =>
      toHex(
        new Uint8Array(await crypto.subtle.sign("HMAC", await paymentIdKey, bigEndian64(counter))).subarray(
          0,
          16,
        ),
      ),
    payment,
  };
}

function bigEndian64(counter: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(counter));
  return bytes;
}
