/** Who may do what for a merchant, over HTTP: passkeys, recovery codes, sessions, API keys; and whose site is whose. */
import { generateKeyPairSync } from "node:crypto";
import * as v from "valibot";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSiteChecks } from "../../server/sites/index.ts";
import { ApiKeyMade, Me, SiteChecked, SiteList } from "../../shared/protocol/dashboard.ts";
import { Problem } from "../../shared/protocol/provider.ts";
import { startNameServer } from "../support/name-server.ts";
import { type OwnedSite, PROOF_PATH, startOwnedSite } from "../support/owned-site.ts";
import { CreationOptions, type Owner, openBrowser, RequestOptions, signUpOwner } from "../support/owner.ts";
import { startTestProvider, type TestProvider } from "./provider.ts";

const DAY = 86_400_000;

let test: TestProvider;
let owner: Owner;
beforeEach(async () => {
  test = await startTestProvider({ TUPPENCE_PRIVATE_ADDRESSES: "allow" });
  owner = await signUpOwner(test.accountsOrigin);
});
afterEach(() => test.close());

const codeOf = ({ body }: { body: unknown }) => v.parse(Problem, body).code;
const makeMerchant = (of: Owner, id: string) =>
  of.call("POST", "/api/me/merchants", { id, name: `The ${id}` });
const me = async (of: Pick<Owner, "call">) => v.parse(Me, (await of.call("GET", "/api/me")).body);

async function signIn(browser: Pick<Owner, "call">, changes: object = {}) {
  const options = v.parse(RequestOptions, (await browser.call("POST", "/api/session/options")).body);
  return browser.call("POST", "/api/session", { response: owner.device.get(options, changes) });
}

describe("passkeys", () => {
  it("sign in, in another browser as well, and see the same merchants", async () => {
    expect((await makeMerchant(owner, "the-mirror")).status).toBe(201);
    const browser = openBrowser(test.accountsOrigin);
    expect(codeOf(await browser.call("GET", "/api/me"))).toBe("access_required");
    expect((await signIn(browser)).status).toBe(200);
    expect((await me(browser)).merchants).toEqual([{ id: "the-mirror", name: "The the-mirror" }]);
  });

  it.each([
    [
      "a signature by another key",
      { signWith: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey },
    ],
    ["what another site's page asked for", { origin: "https://evil.example" }],
    ["what was signed for another site", { relyingParty: "evil.example" }],
    ["a device that nobody unlocked", { userVerified: false }],
    ["a challenge of its own making", { challenge: Buffer.alloc(32, 7).toString("base64url") }],
  ])("do not sign in by %s", async (_, changes) => {
    const browser = openBrowser(test.accountsOrigin);
    expect(codeOf(await signIn(browser, changes))).toBe("passkey_invalid");
    expect(browser.cookie()).toBe("");
  });

  it("sign in once with one signature, and not five minutes later", async () => {
    const browser = openBrowser(test.accountsOrigin);
    const ask = async () =>
      v.parse(RequestOptions, (await browser.call("POST", "/api/session/options")).body);
    const response = owner.device.get(await ask());
    expect((await browser.call("POST", "/api/session", { response })).status).toBe(200);
    expect(codeOf(await browser.call("POST", "/api/session", { response }))).toBe("passkey_invalid");
    const late = owner.device.get(await ask());
    test.clock.ahead += 5 * 60_000;
    expect(codeOf(await browser.call("POST", "/api/session", { response: late }))).toBe("passkey_invalid");
  });

  it("made for a sign-up are not another owner's further passkey, nor the other way round", async () => {
    const stranger = await signUpOwner(test.accountsOrigin);
    const signUp = v.parse(
      CreationOptions,
      (await stranger.call("POST", "/api/sign-up/options", { name: "Eve" })).body,
    );
    const asFurther = { name: "Eve's", response: stranger.device.create(signUp) };
    expect(codeOf(await owner.call("POST", "/api/me/passkeys", asFurther))).toBe("passkey_invalid");
    for (const path of ["/api/me/passkeys", "/api/sign-up"]) {
      const { body } = await owner.call("POST", "/api/me/passkeys/options", { name: "Ada" });
      const response = stranger.device.create(v.parse(CreationOptions, body));
      expect(codeOf(await stranger.call("POST", path, { name: "Eve's", response }))).toBe("passkey_invalid");
    }
    expect((await me(owner)).passkeys).toHaveLength(1);
  });

  it("can be several, and the last one stays, also when two go at the same moment", async () => {
    const options = v.parse(
      CreationOptions,
      (await owner.call("POST", "/api/me/passkeys/options", { name: "Ada" })).body,
    );
    const response = owner.device.create(options);
    expect((await owner.call("POST", "/api/me/passkeys", { name: "Phone", response })).status).toBe(201);
    const { passkeys } = await me(owner);
    expect(passkeys.map(({ name }) => name)).toEqual(["Laptop", "Phone"]);
    const remove = (id: string) => owner.call("DELETE", `/api/me/passkeys/${id}`);
    const answers = await Promise.all(passkeys.map(({ id }) => remove(id)));
    // Both may be refused, where each found the other gone.
    const removed = answers.filter(({ status }) => status === 200).length;
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(2 - removed);
    expect((await me(owner)).passkeys).toHaveLength(2 - removed);
    expect(removed).toBeLessThan(2);
    const stranger = await signUpOwner(test.accountsOrigin);
    const [left] = (await me(owner)).passkeys;
    expect(codeOf(await stranger.call("DELETE", `/api/me/passkeys/${left?.id}`))).toBe("passkey_unknown");
  });
});

describe("recovery codes", () => {
  it("sign in once each, however they are typed, and out everywhere else", async () => {
    const [code = ""] = owner.codes;
    const browser = openBrowser(test.accountsOrigin);
    const typed = code.toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "l");
    expect((await browser.call("POST", "/api/session/recover", { code: typed })).status).toBe(200);
    expect((await me(browser)).recoveryCodesLeft).toBe(9);
    expect(codeOf(await owner.call("GET", "/api/me"))).toBe("access_required");
    expect(codeOf(await browser.call("POST", "/api/session/recover", { code }))).toBe(
      "recovery_code_invalid",
    );
  });

  it("open nothing once there are new ones", async () => {
    await owner.call("POST", "/api/me/recovery-codes");
    const browser = openBrowser(test.accountsOrigin);
    for (const code of owner.codes.slice(0, 2))
      expect(codeOf(await browser.call("POST", "/api/session/recover", { code }))).toBe(
        "recovery_code_invalid",
      );
  });
});

describe("a session", () => {
  it("is over when its owner signs out, and after two weeks", async () => {
    const browser = openBrowser(test.accountsOrigin);
    await signIn(browser);
    const cookie = browser.cookie();
    await browser.call("DELETE", "/api/session");
    expect(browser.cookie()).toBe("");
    expect(codeOf(await browser.call("GET", "/api/me", undefined, { cookie }))).toBe("access_required");
    test.clock.ahead += 14 * DAY;
    expect(codeOf(await owner.call("GET", "/api/me"))).toBe("access_required");
  });

  it("counts for nothing in what another site's page sends", async () => {
    for (const origin of ["https://evil.example", test.origin, "null"])
      expect(codeOf(await owner.call("POST", "/api/me/recovery-codes", undefined, { origin }))).toBe(
        "access_required",
      );
    expect((await me(owner)).recoveryCodesLeft).toBe(10);
  });

  it("makes nothing that outlasts it a while after the sign-in", async () => {
    await makeMerchant(owner, "the-mirror");
    test.clock.ahead += 15 * 60_000;
    for (const [path, body] of [
      ["/api/me/passkeys/options", { name: "Ada" }],
      ["/api/me/passkeys", {}],
      ["/api/me/recovery-codes", undefined],
      ["/api/merchants/the-mirror/keys", { name: "k", scopes: ["sites:read"] }],
    ] as const)
      expect([path, codeOf(await owner.call("POST", path, body))]).toEqual([path, "access_stale"]);
    const [passkey] = (await me(owner)).passkeys;
    expect(codeOf(await owner.call("DELETE", `/api/me/passkeys/${passkey?.id}`))).toBe("access_stale");
    expect((await signIn(owner)).status).toBe(200);
    expect((await owner.call("POST", "/api/me/recovery-codes")).status).toBe(201);
  });

  it("is not known on the origin where everyone is anonymous", async () => {
    const answer = await fetch(`${test.origin}/api/me`, { headers: { cookie: owner.cookie() } });
    expect(codeOf({ body: await answer.json() })).toBe("wrong_origin");
  });
});

describe("a merchant", () => {
  it("has an id that nobody else gets", async () => {
    const stranger = await signUpOwner(test.accountsOrigin);
    expect((await makeMerchant(owner, "the-mirror")).status).toBe(201);
    expect(codeOf(await makeMerchant(stranger, "the-mirror"))).toBe("merchant_taken");
    expect((await me(stranger)).merchants).toEqual([]);
  });

  it("is answered to others as one that there is not, by every route", async () => {
    await makeMerchant(owner, "the-mirror");
    const stranger = await signUpOwner(test.accountsOrigin);
    await makeMerchant(stranger, "the-other");
    const made = await stranger.call("POST", "/api/merchants/the-other/keys", {
      name: "k",
      scopes: ["sites:read", "sites:write"],
    });
    const { token } = v.parse(ApiKeyMade, made.body);
    const routes = Object.entries(test.provider.app.swagger().paths ?? {}).flatMap(([path, operations]) =>
      Object.keys(operations ?? {}).map((method) => [method.toUpperCase(), path] as const),
    );
    const ofMerchants = routes.filter(([, path]) => path.startsWith("/api/merchants/{merchant}"));
    expect(ofMerchants.length).toBeGreaterThan(8);
    for (const [method, path] of ofMerchants) {
      const at = path
        .replace("{merchant}", "the-mirror")
        .replace(/\{[a-z]+\}/g, "https%3A%2F%2Fmirror.example");
      const body =
        method === "POST"
          ? { name: "x", origin: "https://mirror.example", scopes: ["sites:read"] }
          : undefined;
      const call = (headers?: Record<string, string>) =>
        (method === "GET" || method === "POST" || method === "DELETE") &&
        stranger.call(method, at, body, headers);
      const answer = await call();
      if (!answer) throw new Error(`${method} is not tried`);
      expect([method, path, codeOf(answer)]).toEqual([method, path, "merchant_unknown"]);
      const byKey = await openBrowser(test.accountsOrigin).call(method as "GET", at, body, {
        authorization: `Bearer ${token}`,
      });
      expect(["merchant_unknown", "access_required"]).toContain(codeOf(byKey));
      const nobody = await openBrowser(test.accountsOrigin).call(method as "GET", at, body);
      expect([method, path, codeOf(nobody)]).toEqual([method, path, "access_required"]);
    }
  });
});

describe("an API key", () => {
  beforeEach(() => makeMerchant(owner, "the-mirror"));
  const makeKey = async (scopes: string[]) =>
    v.parse(
      ApiKeyMade,
      (await owner.call("POST", "/api/merchants/the-mirror/keys", { name: "k", scopes })).body,
    );
  const byKey = (token: string, method: "GET" | "POST", path: string, body?: unknown) =>
    openBrowser(test.accountsOrigin).call(method, path, body, { authorization: `Bearer ${token}` });

  it("does what its scopes say, and no more; never what makes keys", async () => {
    const { token } = await makeKey(["sites:read"]);
    expect((await byKey(token, "GET", "/api/merchants/the-mirror/sites")).status).toBe(200);
    const site = { origin: "https://mirror.example" };
    expect(codeOf(await byKey(token, "POST", "/api/merchants/the-mirror/sites", site))).toBe("scope_missing");
    expect(codeOf(await byKey(token, "GET", "/api/merchants/the-mirror/keys"))).toBe("access_required");
    expect(codeOf(await byKey(token, "GET", "/api/me"))).toBe("access_required");
  });

  it("opens nothing when it is altered, or revoked, and no stranger revokes it", async () => {
    const { token, key } = await makeKey(["sites:read"]);
    const at = "/api/merchants/the-mirror/sites";
    for (const wrong of [
      token.slice(0, -1),
      `${token.slice(0, -1)}!`,
      token.replace(/_[0-9a-f]{16}_/, `_${"0".repeat(16)}_`),
      "x",
    ])
      expect(codeOf(await byKey(wrong, "GET", at))).toBe("access_required");
    const stranger = await signUpOwner(test.accountsOrigin);
    await makeMerchant(stranger, "the-other");
    expect(codeOf(await stranger.call("DELETE", `/api/merchants/the-other/keys/${key.id}`))).toBe(
      "api_key_unknown",
    );
    expect((await byKey(token, "GET", at)).status).toBe(200);
    expect((await owner.call("DELETE", `/api/merchants/the-mirror/keys/${key.id}`)).status).toBe(200);
    expect(codeOf(await byKey(token, "GET", at))).toBe("access_required");
  });
});

describe("a site", () => {
  let site: OwnedSite;
  let checkDueSites: () => Promise<void>;
  beforeEach(async () => {
    checkDueSites = createSiteChecks(test.provider.deps);
    site = await startOwnedSite();
    await makeMerchant(owner, "the-mirror");
  });
  afterEach(() => site.close());

  const sitesOf = async (of: Owner, merchant: string) =>
    v.parse(SiteList, (await of.call("GET", `/api/merchants/${merchant}/sites`)).body).sites;
  const add = async (of: Owner, merchant: string, origin = site.origin) =>
    v.parse(SiteChecked, (await of.call("POST", `/api/merchants/${merchant}/sites`, { origin })).body);
  const check = async (of: Owner, merchant: string, origin = site.origin) =>
    v.parse(
      SiteChecked,
      (await of.call("POST", `/api/merchants/${merchant}/sites/${encodeURIComponent(origin)}/check`)).body,
    );
  const inRecord = async (merchant: string) => (await test.provider.deps.merchants.get(merchant))?.origins;
  const putFile = (body: string) => site.files.set(PROOF_PATH, { type: "text/plain", body });
  const putPage = (html: string) => site.files.set("/", { type: "text/html", body: html });

  it("is not proven by asking, and is by the file, at once", async () => {
    const { site: added, attempts } = await add(owner, "the-mirror");
    expect(added.provenAt).toBeNull();
    expect(attempts.map(({ method, found }) => [method, found])).toEqual([
      ["file", false],
      ["meta", false],
    ]);
    expect(await inRecord("the-mirror")).toEqual([]);
    putFile(`somebody-else's\n${added.token}\r\n`);
    expect((await check(owner, "the-mirror")).site).toMatchObject({ method: "file", missingSince: null });
    expect(await inRecord("the-mirror")).toEqual([site.origin]);
  });

  it("is proven by a tag in the head, and not by one that a reader wrote into a comment", async () => {
    const { token } = (await add(owner, "the-mirror")).site;
    const tag = `<meta name="tuppence-site" content="${token}">`;
    for (const html of [
      `<!doctype html><title>x</title><body><p>A comment: ${tag}</p>`,
      `<!doctype html><head><!-- ${tag} --></head><body>`,
      `<!doctype html><head><template>${tag}</template></head><body>`,
      `<!doctype html><head><meta name="tuppence-site" content="${token}x"></head>`,
    ]) {
      putPage(html);
      expect((await check(owner, "the-mirror")).site.provenAt, html).toBeNull();
    }
    putPage(`<!doctype html><html><head><title>x</title>${tag}</head><body>`);
    expect((await check(owner, "the-mirror")).site.method).toBe("meta");
  });

  it("is looked at no further than its head, whatever stands behind that", async () => {
    const { token } = (await add(owner, "the-mirror")).site;
    // Formatting that is never closed is made again in each paragraph: two million elements.
    const bomb = `${Array.from({ length: 2_000 }, (_, index) => `<b a${index}>`).join("")}${"<p>x".repeat(1_000)}`;
    putPage(`<!doctype html><head><meta name="tuppence-site" content="${token}"></head><body>${bomb}`);
    expect((await check(owner, "the-mirror")).site.method).toBe("meta");
  });

  it("that does not answer has not said that its proof is gone, also where somebody else has one", async () => {
    putFile((await add(owner, "the-mirror")).site.token);
    await check(owner, "the-mirror");
    const other = await signUpOwner(test.accountsOrigin);
    await makeMerchant(other, "the-other");
    putPage(
      `<!doctype html><head><meta name="tuppence-site" content="${(await add(other, "the-other")).site.token}"></head>`,
    );
    site.failures.set(PROOF_PATH, 503);
    await check(other, "the-other");
    expect(await inRecord("the-mirror")).toEqual([site.origin]);
  });

  it("keeps its proof through three days in which nothing answers the provider, however often it looks", async () => {
    putFile((await add(owner, "the-mirror")).site.token);
    await check(owner, "the-mirror");
    await site.close();
    for (let days = 0; days < 5; days++) {
      test.clock.ahead += DAY;
      await checkDueSites();
    }
    expect(await inRecord("the-mirror")).toEqual([site.origin]);
  });

  it("loses its proof after three days in which others answer the provider, and it does not", async () => {
    const other = await startOwnedSite();
    putFile((await add(owner, "the-mirror")).site.token);
    await check(owner, "the-mirror");
    const { token } = (await add(owner, "the-mirror", other.origin)).site;
    other.files.set(PROOF_PATH, { type: "text/plain", body: token });
    await check(owner, "the-mirror", other.origin);
    for (let days = 0; days < 5; days++) {
      test.clock.ahead += DAY;
      await checkDueSites();
      if (days === 0) await site.close();
    }
    await other.close();
    expect(await inRecord("the-mirror")).toEqual([other.origin]);
  });

  it("is nobody's by a proof that was made for somebody else, or for another site", async () => {
    const stranger = await signUpOwner(test.accountsOrigin);
    await makeMerchant(stranger, "the-thief");
    putFile((await add(owner, "the-mirror")).site.token);
    await check(owner, "the-mirror");
    expect((await add(stranger, "the-thief")).site.provenAt).toBeNull();
    const elsewhere = await startOwnedSite();
    putFile((await add(owner, "the-mirror", elsewhere.origin)).site.token);
    expect((await check(owner, "the-mirror")).site).toMatchObject({
      method: "file",
      missingSince: expect.any(Number),
    });
    await elsewhere.close();
  });

  it("is not proven by a redirect to another site that has the proof", async () => {
    const other = await startOwnedSite();
    const { token } = (await add(owner, "the-mirror")).site;
    other.files.set(PROOF_PATH, { type: "text/plain", body: token });
    site.redirects.set(PROOF_PATH, `${other.origin}${PROOF_PATH}`);
    const { site: checked, attempts } = await check(owner, "the-mirror");
    expect(checked.provenAt).toBeNull();
    expect(attempts[0]?.seen).toContain("redirects to another site");
    await other.close();
  });

  it("keeps its proof for three days without it, and no longer; a proof that comes back counts again", async () => {
    putFile((await add(owner, "the-mirror")).site.token);
    await check(owner, "the-mirror");
    const proof = site.files.get(PROOF_PATH);
    site.files.delete(PROOF_PATH);
    test.clock.ahead += DAY;
    await checkDueSites();
    const [missing] = await sitesOf(owner, "the-mirror");
    expect(missing?.missingSince).not.toBeNull();
    expect(await inRecord("the-mirror")).toEqual([site.origin]);
    if (proof) site.files.set(PROOF_PATH, proof);
    test.clock.ahead += DAY;
    await checkDueSites();
    expect((await sitesOf(owner, "the-mirror"))[0]?.missingSince).toBeNull();
    site.files.delete(PROOF_PATH);
    for (let days = 0; days < 4; days++) {
      expect(await inRecord("the-mirror")).toEqual([site.origin]);
      test.clock.ahead += DAY;
      await checkDueSites();
    }
    test.clock.ahead += 1_000;
    expect(await inRecord("the-mirror")).toEqual([]);
    expect((await sitesOf(owner, "the-mirror"))[0]?.provenAt).toBeNull();
  });

  it("is looked at once a day, not at every turn of the job", async () => {
    putFile((await add(owner, "the-mirror")).site.token);
    await check(owner, "the-mirror");
    await checkDueSites();
    const before = site.requests();
    await checkDueSites();
    expect(site.requests()).toBe(before);
    test.clock.ahead += DAY;
    await checkDueSites();
    expect(site.requests()).toBeGreaterThan(before);
  });

  it("that changes hands is the new owner's, and at once no more the old one's", async () => {
    putFile((await add(owner, "the-mirror")).site.token);
    await check(owner, "the-mirror");
    const buyer = await signUpOwner(test.accountsOrigin);
    await makeMerchant(buyer, "the-buyer");
    putFile((await add(buyer, "the-buyer")).site.token);
    await check(buyer, "the-buyer");
    expect(await inRecord("the-buyer")).toEqual([site.origin]);
    expect(await inRecord("the-mirror")).toEqual([]);
  });

  it("that two merchants share, with both proofs on it, is both's", async () => {
    const other = await signUpOwner(test.accountsOrigin);
    await makeMerchant(other, "the-other");
    const tokens = [(await add(owner, "the-mirror")).site.token, (await add(other, "the-other")).site.token];
    putFile(tokens.join("\n"));
    await check(owner, "the-mirror");
    await check(other, "the-other");
    expect([await inRecord("the-mirror"), await inRecord("the-other")]).toEqual([
      [site.origin],
      [site.origin],
    ]);
  });

  it("that is removed is in the record no more", async () => {
    putFile((await add(owner, "the-mirror")).site.token);
    await check(owner, "the-mirror");
    const path = `/api/merchants/the-mirror/sites/${encodeURIComponent(site.origin)}`;
    expect((await owner.call("DELETE", path)).status).toBe(200);
    expect(await inRecord("the-mirror")).toEqual([]);
    expect(codeOf(await owner.call("DELETE", path))).toBe("site_unknown");
  });

  it("is in the record however many are proven at the same moment", async () => {
    const sites = await Promise.all(Array.from({ length: 8 }, startOwnedSite));
    for (const each of sites) {
      const { token } = (await add(owner, "the-mirror", each.origin)).site;
      each.files.set(PROOF_PATH, { type: "text/plain", body: token });
    }
    await Promise.all(
      sites.map(({ origin }) =>
        owner.call("POST", `/api/merchants/the-mirror/sites/${encodeURIComponent(origin)}/check`),
      ),
    );
    expect((await inRecord("the-mirror"))?.toSorted()).toEqual(sites.map(({ origin }) => origin).toSorted());
    await Promise.all(sites.map((each) => each.close()));
  });
});

it("a site is proven by a record of its domain, and by no other site's, and loses it with the record", async () => {
  const names = await startNameServer();
  const withNames = await startTestProvider({
    TUPPENCE_PRIVATE_ADDRESSES: "allow",
    TUPPENCE_NAME_SERVERS: names.address,
  });
  const site = await startOwnedSite();
  const origin = site.origin.replace("127.0.0.1", "localhost");
  const ada = await signUpOwner(withNames.accountsOrigin);
  await makeMerchant(ada, "the-mirror");
  const path = "/api/merchants/the-mirror/sites";
  const check = async () => {
    const { body } = await ada.call("POST", `${path}/${encodeURIComponent(origin)}/check`);
    return v.parse(SiteChecked, body);
  };
  const { site: added, attempts } = v.parse(SiteChecked, (await ada.call("POST", path, { origin })).body);
  expect(attempts[2]).toMatchObject({ method: "dns", found: false, seen: "There is no such record." });
  names.texts.set("_tuppence.localhost", `tuppence-site=${added.token}x`);
  expect((await check()).attempts[2]).toMatchObject({
    found: false,
    seen: "The record holds something else.",
  });
  names.texts.set("_tuppence.localhost", `tuppence-site=${added.token}`);
  expect((await check()).site).toMatchObject({ method: "dns", missingSince: null });
  expect((await withNames.provider.deps.merchants.get("the-mirror"))?.origins).toEqual([origin]);
  names.texts.clear();
  await site.close();
  // The name servers answer, the site does not: as where the provider is cut off.
  const checkDueSites = createSiteChecks(withNames.provider.deps);
  for (let days = 0; days < 5; days++) {
    withNames.clock.ahead += DAY;
    await checkDueSites();
  }
  expect((await withNames.provider.deps.merchants.get("the-mirror"))?.origins).toEqual([origin]);
  expect((await check()).site).toMatchObject({ method: "dns", missingSince: expect.any(Number) });
  await names.close();
  expect((await check()).attempts[2]?.seen).toBe("The domain's name servers did not answer.");
  await withNames.close();
});

it("a site on the provider's own network, or without TLS, is refused where nobody said otherwise", async () => {
  const strict = await startTestProvider();
  const stranger = await signUpOwner(strict.accountsOrigin);
  await makeMerchant(stranger, "the-mirror");
  const add = (origin: string) => stranger.call("POST", "/api/merchants/the-mirror/sites", { origin });
  expect(codeOf(await add("http://mirror.example"))).toBe("site_insecure");
  const { attempts } = v.parse(SiteChecked, (await add("https://127.0.0.1:1")).body);
  expect(attempts.map(({ seen }) => seen)).toEqual([
    "The address is a private one, which the provider does not visit.",
    "The address is a private one, which the provider does not visit.",
  ]);
  await strict.close();
});
