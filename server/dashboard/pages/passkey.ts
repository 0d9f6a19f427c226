/** The browser's side of passkeys. */
import { startAuthentication, startRegistration, WebAuthnError } from "@simplewebauthn/browser";
import * as v from "valibot";
import { RecoveryCodes } from "../../../shared/protocol/dashboard.ts";
import { call, Done } from "./api.ts";

/** Undefined where the person closed the browser's dialogue: nothing happened, nothing is to be said. */
type OrLeft<T> = Promise<T | undefined>;

/** What the browser gets is the library's on both ends; it is read by the browser, not by us. */
const Options = v.object({ challenge: v.string() });
type RegistrationOptions = Parameters<typeof startRegistration>[0]["optionsJSON"];
type AuthenticationOptions = Parameters<typeof startAuthentication>[0]["optionsJSON"];

export async function signUp(name: string): OrLeft<v.InferOutput<typeof RecoveryCodes>> {
  const optionsJSON = await registrationOptions("/api/sign-up/options", name);
  const response = await unlessLeft(startRegistration({ optionsJSON }));
  return response && call("POST", "/api/sign-up", RecoveryCodes, { name: "First passkey", response });
}

export async function addPasskey(name: string): OrLeft<true> {
  const optionsJSON = await registrationOptions("/api/me/passkeys/options", name);
  const response = await unlessLeft(startRegistration({ optionsJSON }));
  if (!response) return undefined;
  await call("POST", "/api/me/passkeys", Done, { name, response });
  return true;
}

export async function signIn(): OrLeft<true> {
  const schema = v.custom<AuthenticationOptions>((value) => v.is(Options, value));
  const optionsJSON = await call("POST", "/api/session/options", schema);
  const response = await unlessLeft(startAuthentication({ optionsJSON }));
  if (!response) return undefined;
  await call("POST", "/api/session", Done, { response });
  return true;
}

function registrationOptions(path: string, name: string): Promise<RegistrationOptions> {
  const schema = v.custom<RegistrationOptions>((value) => v.is(Options, value));
  return call("POST", path, schema, { name });
}

async function unlessLeft<T>(ceremony: Promise<T>): OrLeft<T> {
  try {
    return await ceremony;
  } catch (error) {
    if (error instanceof WebAuthnError && error.code === "ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED")
      throw new Error("This device has a passkey for this account already.", { cause: error });
    if (error instanceof Error && ["NotAllowedError", "AbortError"].includes(error.name)) return undefined;
    throw error;
  }
}
