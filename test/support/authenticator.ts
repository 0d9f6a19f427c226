/**
 * A device with passkeys, without a browser: what WebAuthn says that an authenticator and a client answer, and whatever a
 * hostile one would. Its keys are ES256, its attestation is "none".
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export interface CeremonyChanges {
  readonly origin?: string;
  readonly challenge?: string;
  /** The host for which the authenticator believes to act. */
  readonly relyingParty?: string;
  /** A device that was not unlocked says false. */
  readonly userVerified?: boolean;
  readonly signWith?: KeyObject;
}

export interface Authenticator {
  /** The answer to the provider's options, as JSON; the passkey is kept. */
  create(
    options: { readonly challenge: string; readonly user: { readonly id: string } },
    changes?: CeremonyChanges,
  ): object;
  /** Signed by the newest passkey, or by that with the id. */
  get(options: { readonly challenge: string }, changes?: CeremonyChanges & { readonly id?: string }): object;
  readonly ids: () => readonly string[];
}

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const HAS_CREDENTIAL = 0x40;
const ID_BYTES = 32;

export function createAuthenticator(origin: string): Authenticator {
  const passkeys: { readonly id: string; readonly userId: string; readonly key: KeyObject }[] = [];

  const clientData = (type: string, challenge: string, changes: CeremonyChanges): Buffer =>
    Buffer.from(
      JSON.stringify({
        type,
        challenge: changes.challenge ?? challenge,
        origin: changes.origin ?? origin,
        crossOrigin: false,
      }),
    );
  const header = (changes: CeremonyChanges, more: number): Buffer =>
    Buffer.concat([
      createHash("sha256")
        .update(changes.relyingParty ?? new URL(origin).hostname)
        .digest(),
      Buffer.from([USER_PRESENT | (changes.userVerified === false ? 0 : USER_VERIFIED) | more]),
      Buffer.alloc(4),
    ]);

  return {
    ids: () => passkeys.map(({ id }) => id),
    create({ challenge, user }, changes = {}) {
      const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const id = randomBytes(ID_BYTES);
      const { x = "", y = "" } = publicKey.export({ format: "jwk" });
      const credential = Buffer.concat([
        Buffer.alloc(16),
        Buffer.from([0, ID_BYTES]),
        id,
        coseKey(Buffer.from(x, "base64url"), Buffer.from(y, "base64url")),
      ]);
      const authData = Buffer.concat([header(changes, HAS_CREDENTIAL), credential]);
      passkeys.push({ id: id.toString("base64url"), userId: user.id, key: privateKey });
      return {
        id: id.toString("base64url"),
        rawId: id.toString("base64url"),
        type: "public-key",
        response: {
          clientDataJSON: clientData("webauthn.create", challenge, changes).toString("base64url"),
          attestationObject: attestation(authData).toString("base64url"),
          transports: ["internal"],
        },
        clientExtensionResults: {},
      };
    },
    get({ challenge }, changes = {}) {
      const passkey = changes.id ? passkeys.find(({ id }) => id === changes.id) : passkeys.at(-1);
      if (!passkey) throw new Error("the device has no passkey");
      const data = clientData("webauthn.get", challenge, changes);
      const authenticatorData = header(changes, 0);
      const signed = Buffer.concat([authenticatorData, createHash("sha256").update(data).digest()]);
      return {
        id: passkey.id,
        rawId: passkey.id,
        type: "public-key",
        response: {
          clientDataJSON: data.toString("base64url"),
          authenticatorData: authenticatorData.toString("base64url"),
          signature: sign("sha256", signed, changes.signWith ?? passkey.key).toString("base64url"),
          userHandle: passkey.userId,
        },
        clientExtensionResults: {},
      };
    },
  };
}

/** CBOR: { 1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y }. */
function coseKey(x: Buffer, y: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]),
    x,
    Buffer.from([0x22, 0x58, 0x20]),
    y,
  ]);
}

/** CBOR: { "fmt": "none", "attStmt": {}, "authData": bytes }. */
function attestation(authData: Buffer): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([0x60 + value.length]), Buffer.from(value)]);
  return Buffer.concat([
    Buffer.from([0xa3]),
    text("fmt"),
    text("none"),
    text("attStmt"),
    Buffer.from([0xa0]),
    text("authData"),
    Buffer.from([0x59, authData.length >> 8, authData.length & 0xff]),
    authData,
  ]);
}
