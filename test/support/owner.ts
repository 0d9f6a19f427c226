/** A site owner who signed up, calling the provider over HTTP as the dashboard's pages do. */
import * as v from "valibot";
import { RecoveryCodes } from "../../shared/protocol/dashboard.ts";
import { type Authenticator, createAuthenticator } from "./authenticator.ts";

export interface OwnerAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface Owner {
  readonly device: Authenticator;
  readonly codes: readonly string[];
  call(
    method: "GET" | "POST" | "DELETE",
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<OwnerAnswer>;
  /** `name=value`, as the browser would send it; empty once it is signed out. */
  cookie(): string;
}

export const CreationOptions = v.object({ challenge: v.string(), user: v.object({ id: v.string() }) });
export const RequestOptions = v.object({ challenge: v.string() });

/** A browser that keeps the session's cookie, and nobody signed in. */
export function openBrowser(accountsOrigin: string): Pick<Owner, "call" | "cookie"> {
  let cookie = "";
  return {
    cookie: () => cookie,
    async call(method, path, body, headers = {}) {
      const response = await fetch(`${accountsOrigin}${path}`, {
        method,
        headers: {
          ...(cookie === "" ? {} : { cookie }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      for (const set of response.headers.getSetCookie()) {
        const [pair = ""] = set.split(";", 1);
        cookie = pair.endsWith("=") ? "" : pair;
      }
      const text = await response.text();
      return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
    },
  };
}

export async function signUpOwner(accountsOrigin: string): Promise<Owner> {
  const browser = openBrowser(accountsOrigin);
  const device = createAuthenticator(accountsOrigin);
  const options = await browser.call("POST", "/api/sign-up/options", { name: "Ada" });
  const response = device.create(v.parse(CreationOptions, options.body));
  const { body } = await browser.call("POST", "/api/sign-up", { name: "Laptop", response });
  return { ...browser, device, codes: v.parse(RecoveryCodes, body).codes };
}
