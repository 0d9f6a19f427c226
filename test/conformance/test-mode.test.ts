/** A live provider and its test mode, two real ones: nothing of one counts at the other, and only the way in leads across. */
import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { auditProvider } from "../../server/audit.ts";
import { fromHex, sha256, toHex } from "../../shared/bytes.ts";
import { type SigningKey, signingKeyFromSeed, signJws } from "../../shared/jws.ts";
import { micros } from "../../shared/money.ts";
import { Me, MerchantSettings, SiteChecked, SiteList } from "../../shared/protocol/dashboard.ts";
import { HandoverMade, HandoverTaken } from "../../shared/protocol/handover.ts";
import { Jwks, Problem, ProviderInfo } from "../../shared/protocol/provider.ts";
import { SettleResponse } from "../../shared/protocol/x402.ts";
import { verifyReceipt } from "../../shared/receipt.ts";
import { makeBlankCoins, withdrawCoins } from "../support/coins.ts";
import { type Owner, openBrowser, signUpOwner } from "../support/owner.ts";
import { freePair } from "../support/pair.ts";
import { post, preparePayment } from "./paying.ts";
import { startTestProvider, type TestProvider } from "./provider.ts";

const MERCHANT = "the-mirror";
const SITE = "https://mirror.example";
const PRICE = 50_000;
const FRESH_MILLISECONDS = 15 * 60_000;

let live: TestProvider;
let test: TestProvider;
beforeEach(async () => {
  const pair = await freePair();
  const start = ({ port, environment }: (typeof pair)["live"]) =>
    startTestProvider({ ...environment, TUPPENCE_PORT: String(port), TUPPENCE_MINT_THREADS: "0" });
  live = await start(pair.live);
  test = await start(pair.test);
});
afterEach(async () => {
  for (const { provider, close } of [live, test]) {
    expect((await auditProvider(provider.deps)).differences).toEqual([]);
    await close();
  }
});

const codeOf = ({ body }: { body: unknown }) => v.parse(Problem, body).code;
const newNonce = () => toHex(randomBytes(32));
const hashOf = async (nonce: string) => toHex(await sha256(fromHex(nonce)));
const me = async (browser: Pick<Owner, "call">) => v.parse(Me, (await browser.call("GET", "/api/me")).body);

describe.each([
  ["live", "test"],
  ["test", "live"],
] as const)("what is of the %s provider", (mine, others) => {
  const home = () => ({ live, test })[mine];
  const elsewhere = () => ({ live, test })[others];

  beforeEach(async () => {
    for (const { provider } of [live, test])
      await provider.deps.merchants.put({ id: MERCHANT, name: "The Mirror", origins: [SITE] });
  });

  async function makePayment() {
    const [coin] = await withdrawCoins(home().provider.deps, [PRICE]);
    if (!coin) throw new Error("one coin");
    const at = (origin: string) => preparePayment({ origin, merchant: MERCHANT, site: SITE }, coin);
    return { coin, atHome: await at(home().origin), elsewhere: await at(elsewhere().origin) };
  }

  async function settle(origin: string, body: string) {
    return v.parse(SettleResponse, JSON.parse((await post(`${origin}/x402/settle`, body)).text));
  }

  it("pays nothing at the other, and is whole afterwards", async () => {
    const { coin, atHome, elsewhere: made } = await makePayment();
    expect(await settle(elsewhere().origin, made.body)).toMatchObject({ errorReason: "keyset_unknown" });
    // Nor with the offer of home.
    expect(await settle(elsewhere().origin, atHome.body)).toMatchObject({ success: false });
    const blanks = makeBlankCoins(elsewhere().provider.deps.mint.activeKeysetId(), [PRICE]);
    const swap = JSON.stringify({ inputs: [coin], outputs: blanks.map(({ output }) => output) });
    const swapped = await post(`${elsewhere().origin}/v1/swap`, swap);
    expect([swapped.status, swapped.text]).toEqual([400, expect.stringContaining("keyset")]);
    for (const name of ["float:", "merchant:"])
      expect([...(await elsewhere().provider.deps.ledger.balances(name)).values()].filter(Boolean)).toEqual(
        [],
      );
    expect(await settle(home().origin, atHome.body)).toMatchObject({ success: true });
  });

  it("gives receipts that the other's keys do not verify, and payments that the other does not know", async () => {
    const { atHome } = await makePayment();
    const settled = await settle(home().origin, atHome.body);
    if (!settled.success) throw new Error("not paid");
    const { receipt } = settled.extensions.tuppence;
    const verifyAt = async ({ origin }: TestProvider, issuer: string) => {
      const jwks = v.parse(Jwks, await (await fetch(`${origin}/.well-known/jwks.json`)).json());
      const expected = {
        issuer,
        merchant: MERCHANT,
        resource: `${SITE}/tides.html`,
        leastAmount: micros(1n),
      };
      return verifyReceipt(receipt, jwks, expected);
    };
    expect(await verifyAt(home(), home().origin)).toMatchObject({ jti: atHome.paymentId });
    expect(await verifyAt(home(), elsewhere().origin)).toBeUndefined();
    expect(await verifyAt(elsewhere(), elsewhere().origin)).toBeUndefined();
    expect(await verifyAt(elsewhere(), home().origin)).toBeUndefined();
    const refund = JSON.stringify({
      preimage: atHome.preimage,
      outputs: makeBlankCoins(elsewhere().provider.deps.mint.activeKeysetId(), [PRICE]).map(
        ({ output }) => output,
      ),
    });
    const refused = await post(`${elsewhere().origin}/payments/${atHome.paymentId}/refund`, refund);
    expect(codeOf({ body: JSON.parse(refused.text) })).toBe("payment_unknown");
  });

  it("says of which mode it is, and where the other one is", async () => {
    const info = v.parse(
      ProviderInfo,
      await (await fetch(`${home().origin}/.well-known/tuppence.json`)).json(),
    );
    expect(info).toMatchObject({ mode: mine, counterpart: elsewhere().origin, sandbox: true });
    expect(info.name.endsWith("(test)")).toBe(mine === "test");
  });
});

describe("the way into test mode", () => {
  let owner: Owner;
  let browser: ReturnType<typeof openBrowser>;
  beforeEach(async () => {
    owner = await signUpOwner(live.accountsOrigin);
    await owner.call("POST", "/api/me/merchants", { id: MERCHANT, name: "The Mirror" });
    await live.provider.deps.merchants.put({ id: MERCHANT, origins: [SITE] });
    browser = openBrowser(test.accountsOrigin);
  });

  async function handOver(nonce: string) {
    const answer = await owner.call("POST", "/api/me/handover", { nonceHash: await hashOf(nonce) });
    return v.parse(HandoverMade, answer.body).handover;
  }
  const show = (handover: string, nonce: string, at: Pick<Owner, "call"> = browser) =>
    at.call("POST", "/api/session/handover", { handover, nonce });
  async function come() {
    const nonce = newNonce();
    return show(await handOver(nonce), nonce);
  }
  /** As a live provider signs it. */
  async function forged(key: SigningKey, changes: object = {}, nonce = newNonce()) {
    const iat = Math.floor(Date.now() / 1_000);
    const claims = {
      iss: live.origin,
      aud: test.accountsOrigin,
      jti: toHex(randomBytes(16)),
      nonceHash: await hashOf(nonce),
      owner: toHex(randomBytes(16)),
      merchants: [],
      iat,
      exp: iat + 60,
      ...changes,
    };
    return signJws("tuppence-handover+jwt", claims, key, "kid");
  }

  async function expectRefused(handover: string, nonce: string) {
    const stranger = openBrowser(test.accountsOrigin);
    expect(codeOf(await show(handover, nonce, stranger))).toBe("handover_invalid");
    expect(stranger.cookie()).toBe("");
  }

  it("signs in with the same merchants, their settings and their sites, and brings up to date what they are called", async () => {
    await owner.call("POST", `/api/merchants/${MERCHANT}`, {
      refundWindowSeconds: 3_600,
      refundsPerDay: "5000000",
      payoutMinimum: "2500000",
      refundPolicy: "Ask us within a week.",
      frameParents: ["https://frames.example"],
    });
    expect(v.parse(HandoverTaken, (await come()).body)).toEqual({ leftOut: [] });
    expect((await me(browser)).merchants).toEqual([{ id: MERCHANT, name: "The Mirror" }]);
    const settings = async (of: Pick<Owner, "call">) =>
      v.parse(MerchantSettings, (await of.call("GET", `/api/merchants/${MERCHANT}`)).body);
    expect(await settings(browser)).toEqual(await settings(owner));

    await browser.call("POST", `/api/merchants/${MERCHANT}`, { refundWindowSeconds: 60 });
    await owner.call("POST", `/api/merchants/${MERCHANT}`, { name: "The New Mirror" });
    await live.provider.deps.merchants.put({ id: MERCHANT, origins: [SITE, "https://www.mirror.example"] });
    expect((await come()).status).toBe(200);
    expect(await settings(browser)).toMatchObject({
      name: "The New Mirror",
      refundWindowSeconds: 60,
      origins: [SITE, "https://www.mirror.example"],
    });
    // What is tried out there changes nothing here.
    expect(await settings(owner)).toMatchObject({ refundWindowSeconds: 3_600 });
  });

  it("is open once, for a minute, and to the browser that asked", async () => {
    const nonce = newNonce();
    const handover = await handOver(nonce);
    await expectRefused(handover, newNonce());
    // Whoever reads it finds the hash in it, and not what it is of.
    await expectRefused(handover, await hashOf(nonce));
    expect((await show(handover, nonce)).status).toBe(200);
    await expectRefused(handover, nonce);

    const twice = await handOver(nonce);
    const answers = await Promise.all([show(twice, nonce), show(twice, nonce)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);

    const late = await handOver(nonce);
    test.clock.ahead += 60_000;
    await expectRefused(late, nonce);
  });

  it("is closed to what the live provider did not sign, not for this provider, or for longer", async () => {
    const { signingKey } = live.provider.deps.secrets;
    const nonce = newNonce();
    expect((await show(await forged(signingKey, {}, nonce), nonce)).status).toBe(200);
    const iat = Math.floor(Date.now() / 1_000);
    for (const changes of [
      { aud: "https://accounts.other.example" },
      { aud: test.origin },
      { aud: live.accountsOrigin },
      { iss: test.origin },
      { iat: iat - 61, exp: iat - 1 },
      { exp: iat + 3_600 },
      { iat: iat + 3_600, exp: iat + 3_660 },
    ])
      await expectRefused(await forged(signingKey, changes, nonce), nonce);
    const stranger = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
    for (const key of [stranger, test.provider.deps.secrets.signingKey])
      await expectRefused(await forged(key, {}, nonce), nonce);
    // Signed by it, for something else.
    const answer = await (await fetch(`${live.origin}/merchants/${MERCHANT}`)).json();
    await expectRefused(answer.merchantRecord, nonce);
    await expectRefused("x", nonce);
  });

  it("leads to nothing at the live provider, whoever signed", async () => {
    for (const { secrets } of [live.provider.deps, test.provider.deps])
      for (const changes of [{}, { iss: test.origin, aud: live.accountsOrigin }]) {
        const nonce = newNonce();
        const atLive = openBrowser(live.accountsOrigin);
        const answer = await show(await forged(secrets.signingKey, changes, nonce), nonce, atLive);
        expect([codeOf(answer), atLive.cookie()]).toEqual(["not_found", ""]);
      }
    await come();
    expect(codeOf(await browser.call("POST", "/api/me/handover", { nonceHash: newNonce() }))).toBe(
      "not_found",
    );
  });

  it("is closed a while after the sign-in, and to whoever is not signed in", async () => {
    live.clock.ahead += FRESH_MILLISECONDS;
    expect(codeOf(await owner.call("POST", "/api/me/handover", { nonceHash: newNonce() }))).toBe(
      "access_stale",
    );
    const nobody = openBrowser(live.accountsOrigin);
    expect(codeOf(await nobody.call("POST", "/api/me/handover", { nonceHash: newNonce() }))).toBe(
      "access_required",
    );
  });

  it("says so where the live provider does not answer, and signs nobody in", async () => {
    const nonce = newNonce();
    const handover = await handOver(nonce);
    const { close } = live;
    await live.provider.close();
    expect(codeOf(await show(handover, nonce))).toBe("counterpart_unreachable");
    expect(browser.cookie()).toBe("");
    live = await startTestProvider();
    await close();
  });

  it("leaves a merchant behind whose id is somebody else's there", async () => {
    await test.provider.deps.merchants.put({ id: MERCHANT, name: "Another", origins: [SITE] });
    expect(v.parse(HandoverTaken, (await come()).body)).toEqual({ leftOut: [MERCHANT] });
    expect((await me(browser)).merchants).toEqual([]);
    expect((await test.provider.deps.merchants.get(MERCHANT))?.name).toBe("Another");
  });

  it("is the only one: no session of one counts at the other, and nobody signs up there", async () => {
    await come();
    for (const [cookie, other] of [
      [owner.cookie(), test],
      [browser.cookie(), live],
    ] as const) {
      const [, value = ""] = cookie.split("=", 2);
      for (const name of ["tuppence_session", "tuppence_test_session"])
        expect(
          codeOf(
            await openBrowser(other.accountsOrigin).call("GET", "/api/me", undefined, {
              cookie: `${name}=${value}`,
            }),
          ),
        ).toBe("access_required");
    }
    for (const path of ["/api/sign-up/options", "/api/session/options", "/api/me/merchants"])
      expect(codeOf(await browser.call("POST", path, { name: "Ada", id: "x-y" }))).toBe("not_found");
  });

  it("leads to API keys that open nothing at the live provider", async () => {
    await come();
    const made = await browser.call("POST", `/api/merchants/${MERCHANT}/keys`, {
      name: "k",
      scopes: ["sites:read"],
    });
    const { token } = v.parse(v.object({ token: v.string() }), made.body);
    const headers = { authorization: `Bearer ${token}` };
    const ask = ({ accountsOrigin }: TestProvider) =>
      openBrowser(accountsOrigin).call("GET", `/api/merchants/${MERCHANT}/sites`, undefined, headers);
    expect((await ask(test)).status).toBe(200);
    expect(codeOf(await ask(live))).toBe("access_required");
  });

  it("ends where a site counts without a proof, on one's own machine too, and stays a site of test mode", async () => {
    await come();
    const path = `/api/merchants/${MERCHANT}/sites`;
    const add = (of: Pick<Owner, "call">, origin: string) => of.call("POST", path, { origin });
    for (const origin of [
      "http://localhost:3000",
      "http://paper.localhost",
      "http://127.0.0.1:8080",
      "http://[::1]:8080",
      "https://staging.example",
    ]) {
      const { site } = v.parse(SiteChecked, (await add(browser, origin)).body);
      expect(site.provenAt, origin).not.toBeNull();
    }
    for (const origin of ["http://staging.example", "http://localhost.example", "http://128.0.0.1"])
      expect(codeOf(await add(browser, origin)), origin).toBe("site_insecure");
    expect((await test.provider.deps.merchants.get(MERCHANT))?.origins).toContain("http://localhost:3000");
    expect((await live.provider.deps.merchants.get(MERCHANT))?.origins).toEqual([SITE]);
    expect(codeOf(await add(owner, "http://localhost:3000"))).toBe("site_insecure");
    const { sites } = v.parse(SiteList, (await owner.call("GET", path)).body);
    expect(sites).toEqual([]);
  });
});

it("lets owners sign up at a test provider that has no counterpart, where there is no way in", async () => {
  const alone = await startTestProvider({ TUPPENCE_MODE: "test" });
  const owner = await signUpOwner(alone.accountsOrigin);
  expect((await owner.call("POST", "/api/me/merchants", { id: MERCHANT, name: "M" })).status).toBe(201);
  expect(owner.cookie()).toMatch(/^tuppence_test_session=/);
  const shown = await owner.call("POST", "/api/session/handover", { handover: "x.y.z", nonce: newNonce() });
  expect(codeOf(shown)).toBe("not_found");
  await alone.close();
});
