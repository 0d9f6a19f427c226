/**
 * Every key of the wallet, from the recovery phrase: BIP-39 (12 words, no passphrase), then HKDF-SHA256 under the
 * salts and infos of docs/PROTOCOL.md, "Keys". All by WebCrypto. What counts up (outputs, quotes, payments) does so for
 * each device of a phrase under keys of its own, so that two at once never use the same number.
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
  readonly backup: BackupKeys;
  payment(paymentId: string): Promise<PaymentKeys>;
  /** The same object for the same number. */
  device(number: number): Promise<DeviceKeys>;
}

export interface BackupKeys {
  /** AES-256-GCM. */
  readonly sealingKey: Promise<CryptoKey>;
  /** Of a part, 128 bits in hex: nobody else can tell what it names. */
  partName(kind: "head" | "coins" | "payments", device: number, index: number): Promise<string>;
}

/** What one device counts up. */
export interface DeviceKeys {
  readonly device: number;
  /** NUT-13 seeds. */
  readonly withdrawSeed: Bytes;
  readonly swapSeed: Bytes;
  /** The secp256k1 key that locks the n-th mint quote (NUT-20), hex. */
  quoteKey(counter: number): Promise<string>;
  paymentId(counter: number): Promise<string>;
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
  const hmacKey = (bytes: Bytes): Promise<CryptoKey> =>
    crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const first16 = async (key: Promise<CryptoKey>, data: Bytes): Promise<string> =>
    toHex(new Uint8Array(await crypto.subtle.sign("HMAC", await key, data)).subarray(0, 16));

  const openDevice = async (device: number): Promise<DeviceKeys> => {
    // The first device's salts are those of the first version, which knew no others.
    const salt = device === 0 ? new Uint8Array(0) : bigEndian64(device);
    const [withdrawSeed, swapSeed] = await Promise.all([
      derive("tuppence withdraw v1", NUT13_SEED_BYTES, salt),
      derive("tuppence swap v1", NUT13_SEED_BYTES, salt),
    ]);
    const paymentIdKey = derive("tuppence payment id v1", 32, salt).then(hmacKey);
    return {
      device,
      withdrawSeed,
      swapSeed,
      quoteKey: async (counter) =>
        toHex(await derive("tuppence quote v1", 32, new Uint8Array([...salt, ...bigEndian64(counter)]))),
      paymentId: (counter) => first16(paymentIdKey, bigEndian64(counter)),
    };
  };
  const devices = new Map<number, Promise<DeviceKeys>>();
  const device = (number: number): Promise<DeviceKeys> => {
    const opened = devices.get(number) ?? openDevice(number);
    devices.set(number, opened);
    return opened;
  };

  // Most workers that start never write a backup.
  let sealingKey: Promise<CryptoKey> | undefined;
  let nameKey: Promise<CryptoKey> | undefined;
  const backup: BackupKeys = {
    get sealingKey() {
      sealingKey ??= derive("tuppence backup v1", 32).then((key) =>
        crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]),
      );
      return sealingKey;
    },
    partName: (kind, ...place) => {
      nameKey ??= derive("tuppence backup names v1", 32).then(hmacKey);
      return first16(nameKey, utf8([kind, ...place].join(" ")));
    },
  };
  const account = await derive("tuppence account v1", 32).then(signingKeyFromSeed);
  return { account, backup, payment, device };
}

function bigEndian64(counter: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(counter));
  return bytes;
}
