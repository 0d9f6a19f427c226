/** Passkeys (WebAuthn Level 3): made, listed, removed, and the proof of having one. There is no password anywhere. */
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type WebAuthnCredential,
} from "@simplewebauthn/server";
import * as v from "valibot";
import { fromBase64url, fromHex, toBase64url } from "../../shared/bytes.ts";
import { TuppenceError } from "../../shared/errors.ts";
import type {
  AuthenticationResponse,
  Passkey,
  PasskeyRequest,
  RegistrationResponse,
} from "../../shared/protocol/dashboard.ts";
import { CHALLENGE_MILLISECONDS, keepChallenge, type Purpose, takeChallenge } from "./challenges.ts";
import type { AccessDeps } from "./deps.ts";

const MAX_PASSKEYS_PER_OWNER = 20;

type Row = {
  id: string;
  owner_id: string;
  name: string;
  public_key: string;
  counter: bigint | number;
  transports: string;
  created_at: bigint | number;
  last_used_at: bigint | number;
};
type Tables = { passkeys: Row };

/** What the browser is asked to make a passkey with. `name` is the device's to show; it is not kept here. */
export async function offerPasskey(deps: AccessDeps, ownerId: string, name: string, purpose: Purpose) {
  const known = await rowsOf(deps, ownerId);
  const options = await generateRegistrationOptions({
    rpName: deps.config.name,
    rpID: relyingPartyOf(deps),
    userName: name,
    userID: fromHex(ownerId),
    timeout: CHALLENGE_MILLISECONDS,
    attestationType: "none",
    excludeCredentials: known.map(({ id }) => ({ id })),
    // Found again without a name being typed, and unlocked by its owner: whoever holds the device alone is not enough.
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
  });
  await keepChallenge(deps, options.challenge, purpose, ownerId);
  return options;
}

/** The owner whose passkey was made and is not stored yet. @throws TuppenceError passkey_invalid */
export async function verifyNewPasskey(
  deps: AccessDeps,
  response: v.InferOutput<typeof RegistrationResponse>,
  purpose: Purpose,
): Promise<{ ownerId: string; credential: WebAuthnCredential }> {
  const challenge = challengeOf(response.response.clientDataJSON);
  const ownerId = await takeChallenge(deps, challenge, purpose);
  if (ownerId === undefined) throw new TuppenceError("passkey_invalid");
  const verified = await orInvalid(
    verifyRegistrationResponse({
      response: { ...response, clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: deps.config.accountsOrigin,
      expectedRPID: relyingPartyOf(deps),
      requireUserVerification: true,
    }),
  );
  if (!verified.verified) throw new TuppenceError("passkey_invalid");
  return { ownerId, credential: verified.registrationInfo.credential };
}

/** @throws TuppenceError passkey_invalid, where another owner has it; too_many */
export async function keepPasskey(
  deps: AccessDeps,
  ownerId: string,
  credential: WebAuthnCredential,
  { name, response }: v.InferOutput<typeof PasskeyRequest>,
): Promise<void> {
  if ((await rowsOf(deps, ownerId)).length >= MAX_PASSKEYS_PER_OWNER)
    throw new TuppenceError("too_many", { most: MAX_PASSKEYS_PER_OWNER });
  const now = deps.now();
  const { numInsertedOrUpdatedRows } = await tables(deps)
    .insertInto("passkeys")
    .values({
      id: credential.id,
      owner_id: ownerId,
      name,
      public_key: toBase64url(credential.publicKey),
      counter: credential.counter,
      transports: JSON.stringify(response.response.transports ?? []),
      created_at: now,
      last_used_at: now,
    })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows === 0n) throw new TuppenceError("passkey_invalid");
}

/** What the browser is asked to sign in with: any passkey of this provider that the device has. */
export async function askForPasskey(deps: AccessDeps) {
  const options = await generateAuthenticationOptions({
    rpID: relyingPartyOf(deps),
    timeout: CHALLENGE_MILLISECONDS,
    userVerification: "required",
  });
  await keepChallenge(deps, options.challenge, "sign-in", "");
  return options;
}

/** Whose passkey signed. @throws TuppenceError passkey_invalid */
export async function verifyPasskey(
  deps: AccessDeps,
  response: v.InferOutput<typeof AuthenticationResponse>,
): Promise<string> {
  const { userHandle, ...signed } = response.response;
  const row = await tables(deps)
    .selectFrom("passkeys")
    .selectAll()
    .where("id", "=", response.id)
    .executeTakeFirst();
  const challenge = challengeOf(signed.clientDataJSON);
  if (!row || (await takeChallenge(deps, challenge, "sign-in")) === undefined)
    throw new TuppenceError("passkey_invalid");
  const { verified, authenticationInfo } = await orInvalid(
    verifyAuthenticationResponse({
      response: {
        ...response,
        response: { ...signed, ...(typeof userHandle === "string" ? { userHandle } : {}) },
        clientExtensionResults: {},
      },
      expectedChallenge: challenge,
      expectedOrigin: deps.config.accountsOrigin,
      expectedRPID: relyingPartyOf(deps),
      requireUserVerification: true,
      credential: {
        id: row.id,
        publicKey: fromBase64url(row.public_key),
        counter: Number(row.counter),
        transports: v.parse(v.array(v.string()), JSON.parse(row.transports)),
      },
    }),
  );
  if (!verified) throw new TuppenceError("passkey_invalid");
  await tables(deps)
    .updateTable("passkeys")
    .set({ counter: authenticationInfo.newCounter, last_used_at: deps.now() })
    .where("id", "=", row.id)
    .execute();
  return row.owner_id;
}

/** Oldest first. */
export async function listPasskeys(deps: AccessDeps, ownerId: string): Promise<Passkey[]> {
  return (await rowsOf(deps, ownerId)).map(({ id, name, created_at, last_used_at }) => ({
    id,
    name,
    createdAt: Number(created_at),
    lastUsedAt: Number(last_used_at),
  }));
}

/** @throws TuppenceError passkey_unknown; passkey_last, which would lock its owner out */
export async function removePasskey(deps: AccessDeps, ownerId: string, id: string): Promise<void> {
  const db = tables(deps);
  const removed = await db
    .deleteFrom("passkeys")
    .where("id", "=", id)
    .where("owner_id", "=", ownerId)
    // Here, not before: a process that is killed between two statements must not leave its owner without any.
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom("passkeys as other")
          .select("other.id")
          .where("other.owner_id", "=", ownerId)
          .where("other.id", "!=", id),
      ),
    )
    .returningAll()
    .executeTakeFirst();
  const left = await rowsOf(deps, ownerId);
  if (!removed)
    throw new TuppenceError(left.some((row) => row.id === id) ? "passkey_last" : "passkey_unknown");
  if (left.length > 0) return;
  // Of two that PostgreSQL removes at the same moment, one at least finds that the other one is gone.
  await db
    .insertInto("passkeys")
    .values(removed)
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
  throw new TuppenceError("passkey_last");
}

function rowsOf(deps: AccessDeps, ownerId: string): Promise<Row[]> {
  return tables(deps)
    .selectFrom("passkeys")
    .selectAll()
    .where("owner_id", "=", ownerId)
    .orderBy("created_at")
    .orderBy("id")
    .execute();
}

/** WebAuthn's RP ID: the host alone. An address in numbers is none, so a dashboard there has no passkeys. */
function relyingPartyOf({ config }: AccessDeps): string {
  return new URL(config.accountsOrigin).hostname;
}

const ClientData = v.pipe(v.string(), v.parseJson(), v.object({ challenge: v.string() }));

/** @throws TuppenceError passkey_invalid */
function challengeOf(clientDataJSON: string): string {
  const decoded = v.safeParse(ClientData, Buffer.from(clientDataJSON, "base64url").toString());
  if (!decoded.success) throw new TuppenceError("passkey_invalid");
  return decoded.output.challenge;
}

/** The library throws what a stranger sent wrong. */
async function orInvalid<T>(verifying: Promise<T>): Promise<T> {
  try {
    return await verifying;
  } catch (error) {
    throw new TuppenceError("passkey_invalid", {}, error);
  }
}

function tables({ database }: AccessDeps) {
  return database.$extendTables<Tables>();
}
