/** What a site and a wallet decode: the snippet, the back end's library, the command that seals, the provider's client. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import * as v from "valibot";
import { cutFeed } from "../../../merchant/cli/feed.ts";
import { CommandError } from "../../../merchant/cli/problem.ts";
import { checkOffer, fetchMerchantRecord, fetchProvider } from "../../../merchant/cli/provider.ts";
import { sealPage } from "../../../merchant/cli/seal-page.ts";
import { createMppCharge } from "../../../merchant/server/mpp.ts";
import { createReceiptVerifier } from "../../../merchant/server/receipts.ts";
import { TuppenceScheme } from "../../../merchant/server/x402.ts";
import { ask } from "../../../merchant/snippet/conversation.ts";
import {
  decodeEntitlement,
  decodeError,
  decodePay,
  decodeStatus,
  decodeTip,
  fieldsOf,
} from "../../../merchant/snippet/decode.ts";
import { readHeader, readOffer } from "../../../merchant/snippet/offer.ts";
import { Problem } from "../../../merchant/snippet/problem.ts";
import { toBase64url, utf8 } from "../../../shared/bytes.ts";
import { TuppenceError } from "../../../shared/errors.ts";
import { signingKeyFromSeed, thumbprintOf } from "../../../shared/jws.ts";
import { micros } from "../../../shared/money.ts";
import { makeOffer } from "../../../shared/offer.ts";
import { decodeMpp, MppRequest, readChallenges } from "../../../shared/protocol/mpp.ts";
import {
  EntitlementResult,
  PayResult,
  REQUEST_EVENT,
  RESPONSE_EVENT,
  StatusResult,
  TipResult,
} from "../../../shared/protocol/page.ts";
import type { ProviderInfo } from "../../../shared/protocol/provider.ts";
import { issueHolderProof, issueReceipt } from "../../../shared/receipt.ts";
import { createProviderClient } from "../../../wallet/provider/index.ts";
import { openFakePage } from "../../support/fake-page.ts";
import { expand, mutateJson, treeMutations } from "../mutate.ts";
import { makeTarget, type Target } from "../target.ts";
import { KEYS, TEXTS } from "../words.ts";
import { statementTargets } from "./statements.ts";
import { anyText, anyValue, readJson } from "./values.ts";

const ORIGIN = "https://pay.example";
const SITE = "https://lantern.example";
const RESOURCE = `${SITE}/article`;
const ID = "ab".repeat(16);
const KEYSET = "00ffffffffffffff";
const POINT = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const NOW_MS = 1_790_000_000_000;
const NOW_SECONDS = NOW_MS / 1_000;
const INFO = {
  name: "Example",
  origin: ORIGIN,
  accountsOrigin: "https://accounts.pay.example",
  currency: "USD",
  unit: "usd6",
  network: "tuppence:usd",
  sandbox: true,
  mode: "live",
  sealingKey: { kty: "OKP", crv: "X25519", x: "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo" },
  topUps: { gateways: ["sandbox"], least: "1000000", most: "50000000" },
  largestPayment: "20000000",
} as const;

export async function merchantTargets(): Promise<Target[]> {
  return [
    ...snippetTargets(),
    ...(await backEndTargets()),
    ...(await sealTargets()),
    ...(await clientTargets()),
    ...(await statementTargets()),
  ];
}

const offer = () =>
  makeOffer({
    provider: ORIGIN,
    merchant: "the-lantern",
    amount: 50_000n,
    currency: "USD",
    kind: "article",
    title: "Tides",
    resource: RESOURCE,
  });

function snippetTargets(): Target[] {
  const page = openFakePage();
  const results = {
    paymentId: ID,
    receipt: "a.b.c",
    contentKey: "A".repeat(43),
    paymentSignature: "e30=",
    holderProof: "a.b.c",
    amount: "1000",
    state: "paid",
    code: "declined",
    message: "No.",
  };
  const decoders = [
    [decodePay, PayResult],
    [decodeTip, TipResult],
    [decodeEntitlement, EntitlementResult],
    [decodeStatus, StatusResult],
  ] as const;
  return [
    makeTarget(
      "snippet: results",
      2,
      fc.record({ tree: treeMutations, value: anyValue }),
      ({ tree, value }, see) => {
        for (const given of [readJson(mutateJson(results, tree)), value]) {
          for (const [decode, schema] of decoders) {
            const decoded = decode(fieldsOf(given));
            if (decoded) v.parse(schema, JSON.parse(JSON.stringify(decoded)));
            see(decoded ? "read" : "refused");
          }
          decodeError(fieldsOf(given));
        }
      },
    ),
    makeTarget(
      "snippet: offers",
      2,
      fc.record({ tree: treeMutations, value: anyValue, text: anyText }),
      ({ tree, value, text }, see) => {
        const found = readOffer(readJson(mutateJson(offer(), tree)));
        if (found) assert.ok(URL.canParse(found.resource));
        see(found ? "read" : "refused");
        readOffer(value);
        readHeader(text);
        readHeader(Buffer.from(mutateJson(offer(), tree)).toString("base64"));
      },
    ),
    makeTarget(
      "snippet: the wallet's answers",
      2,
      fc.record({ tree: treeMutations, isError: fc.boolean(), value: anyValue }),
      async ({ tree, isError, value }, see) => {
        let id = "";
        const hear = (event: Event) => {
          id = v.parse(
            v.object({ id: v.string() }),
            JSON.parse(v.parse(v.string(), Reflect.get(event, "detail"))),
          ).id;
        };
        document.addEventListener(REQUEST_EVENT, hear, { once: true });
        const answered = ask("pay", { offer: offer(), mode: "direct" }, decodePay).then(
          () => "ok",
          (error: unknown) => {
            if (!(error instanceof Problem)) throw error;
            return error.code;
          },
        );
        const tell = (detail: unknown) => document.dispatchEvent(new CustomEvent(RESPONSE_EVENT, { detail }));
        tell(value);
        tell(mutateJson({ v: 1, id, ...(isError ? { error: results } : { ok: results }) }, tree));
        // What was no answer leaves the question open.
        tell(JSON.stringify({ v: 1, id, error: { code: "last", message: "The end." } }));
        see(short(await answered));
        assert.equal(page.sent.length, 0);
      },
    ),
  ];
}

async function backEndTargets(): Promise<Target[]> {
  const key = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
  const jkt = await thumbprintOf(key.publicJwk);
  const claims = {
    iss: ORIGIN,
    aud: "the-lantern",
    jti: ID,
    sub: jkt,
    cnf: { jkt },
    amount: micros(50_000),
    currency: "USD",
    resource: RESOURCE,
    kind: "article",
    iat: NOW_SECONDS,
  } as const;
  const receipt = await issueReceipt(claims, key);
  const proof = await issueHolderProof(
    { aud: SITE, challenge: `/article#${NOW_SECONDS}`, jti: ID, iat: NOW_SECONDS },
    key,
  );
  const jwks = { keys: [{ ...key.publicJwk, kid: jkt }] };
  const input = fc.record({
    header: treeMutations,
    answer: fc.oneof(fc.constant([]), treeMutations),
    status: statuses,
  });
  const scheme = new TuppenceScheme({ provider: ORIGIN });
  return [
    makeTarget("back end: receipts", 3, input, async ({ header, answer, status }, see) => {
      const genuine: Record<string, object> = {
        "/.well-known/jwks.json": jwks,
        "/receipts/revoked": { revoked: [{ jti: "0".repeat(32), at: 1 }] },
      };
      const fetch = answering((path) => new Response(mutateJson(genuine[path], answer), { status }));
      const { verifyReceipt } = createReceiptVerifier({
        provider: ORIGIN,
        merchant: "the-lantern",
        fetch,
        now: () => NOW_MS,
      });
      const given = readJson(mutateJson(`${receipt}~${proof}`, header));
      const found = await verifyReceipt(typeof given === "string" ? given : undefined, {
        resource: RESOURCE,
        leastAmount: micros(50_000),
      });
      if (found && header.length > 0) assert.deepEqual(found, claims);
      see(found ? "verified" : "refused");
    }),
    makeTarget(
      "back end: MPP",
      2,
      fc.record({ header: anyText, credential: treeMutations, answer: treeMutations, status: statuses }),
      async ({ header, credential, answer, status }, see) => {
        const charge = createMppCharge({
          provider: ORIGIN,
          merchant: "the-lantern",
          realm: "lantern.example",
          secret: "s".repeat(32),
          fetch: answering(
            () => new Response(mutateJson({ success: true, transaction: ID }, answer), { status }),
          ),
          now: () => NOW_MS,
        });
        const asked = { resource: RESOURCE, receipt: undefined };
        const terms = { price: "5¢", title: "Mills" };
        const first = await charge({ ...asked, authorization: header }, terms);
        assert.equal(first.isPaid, false);
        const [challenge] = readChallenges(first.headers["WWW-Authenticate"] ?? null);
        assert.ok(challenge);
        const payload = {
          x402Version: 2,
          resource: { url: RESOURCE },
          accepted: decodeMpp(challenge.request, MppRequest)?.methodDetails.offer.accepts[0],
          payload: { enc: "e", ct: "c", expiresAt: NOW_SECONDS + 60 },
        };
        const shown = mutateJson({ challenge, payload }, credential);
        const authorization = `Payment ${toBase64url(utf8(shown))}`;
        const second = await charge({ ...asked, authorization }, terms);
        // The provider's answer is never a whole one here.
        assert.equal(second.isPaid, false);
        see(second.status === 503 ? "settled" : "refused");
      },
    ),
    makeTarget(
      "back end: prices",
      1,
      fc.record({ text: anyText, tree: treeMutations }),
      async ({ text, tree }, see) => {
        const price = readJson(mutateJson({ amount: "50000", asset: "USD" }, tree));
        const exact = v.safeParse(v.object({ amount: v.string(), asset: v.string() }), price);
        for (const one of [text, ...(exact.success ? [exact.output] : [])]) {
          const read = await scheme.parsePrice(one).catch((error: unknown) => {
            if (!(error instanceof RangeError)) throw error;
            return undefined;
          });
          see(read ? "read" : "refused");
        }
      },
    ),
  ];
}

const PAGE = [
  '<!doctype html>\n<html lang="en"><head><title>Mills</title><meta name="description" content="A walk.">',
  '<script type="application/ld+json">{"headline":"Mills"}</script>',
  "</head><body><h1>The moon's own mill</h1><p>Free to read.</p>",
  "<!-- tuppence:paid 5¢ -->",
  "<p>The <em>wheel</em> turns twice a day, because the moon has hauled the whole estuary uphill.</p>",
  "<!-- /tuppence:paid -->",
  '<section data-tuppence-price="5¢"><p>Or this.</p></section>',
  "<template><p>Hidden</p></template><svg><desc>x</desc></svg><table><tr><td>1</table>",
  "</body></html>",
];
const MOST_MARKUP = 60_000;
const MARKUP = [
  ...[
    "<!-- tuppence:paid -->",
    "<!-- /tuppence:paid -->",
    "<!-- tuppence:paid 0 -->",
    "<!-- tuppence:paid $999 -->",
    "<!--tuppence:paid 0.5¢-->",
  ],
  ...[
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "</head>",
    "<head>",
    "</html>",
    "<script>",
    "</script>",
    "<plaintext>",
    "<template>",
    "</p>",
    "<frameset>",
  ],
  ...[
    '<p data-tuppence-price="5¢">',
    "<br data-tuppence-price>",
    "<svg><foreignObject>",
    "<math>",
    "&#0;",
    "&lt;!-- tuppence:paid --&gt;",
    "\u0000",
    "\ud800",
  ],
  ...[
    "The wheel turns twice a day, because the moon has hauled the whole estuary uphill.",
    '<script src="tuppence.js">',
    "<h1></h1>",
  ],
];

interface Changes {
  readonly left: readonly number[];
  readonly changes: readonly {
    readonly at: number;
    readonly markup: Parameters<typeof expand>[0];
    readonly times: number;
    readonly replaces: boolean;
  }[];
  readonly depth: number;
}

const escaped = (html: string) => html.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
/** The ways in which a page's HTML stands in a feed. */
const FEEDS: readonly ((html: string) => string)[] = [
  (html) => `<rss><item><link>${RESOURCE}</link><description>${escaped(html)}</description></item></rss>`,
  (html) => `<rss><item><description><![CDATA[${html}]]></description></item></rss>`,
  (html) => `<feed><entry><link href="${RESOURCE}"/><content type="xhtml">${html}</content></entry></feed>`,
  (html) => JSON.stringify({ items: [{ url: RESOURCE, content_html: html }] }),
  (html) => html,
];

async function sealTargets(): Promise<Target[]> {
  const key = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
  const provider: ProviderInfo = {
    ...INFO,
    topUps: { gateways: ["sandbox"], least: micros(1_000_000), most: micros(50_000_000) },
    largestPayment: micros(20_000_000),
  };
  const terms = {
    merchant: "the-lantern",
    key,
    provider,
    merchantRecord: undefined,
    walletUrl: undefined,
    nowSeconds: NOW_SECONDS,
  };
  const change = fc.record({
    at: fc.nat({ max: 20 }),
    markup: fc.oneof(fc.constantFrom(...MARKUP), fc.string(), fc.constantFrom(...TEXTS)),
    times: fc.oneof(
      { weight: 9, arbitrary: fc.constant(1) },
      { weight: 1, arbitrary: fc.constantFrom(50, 2_000) },
    ),
    replaces: fc.boolean(),
  });
  const html = fc.record({
    left: fc.uniqueArray(fc.nat({ max: PAGE.length - 1 }), { maxLength: 3 }),
    changes: fc.array(change, { maxLength: 3 }),
    depth: fc.oneof(
      { weight: 40, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.constantFrom(500, 20_000) },
    ),
    price: fc.oneof(fc.constant("5¢"), anyText, fc.constant(undefined)),
  });
  const feed = fc.record({ page: html, form: fc.constantFrom(...FEEDS) });
  const input = fc.record({ tree: treeMutations, status: statuses });
  const changed = ({ left, changes, depth }: Changes) => {
    const parts = PAGE.filter((_, index) => !left.includes(index) && (left.length > 0 || index !== 6));
    for (const { at, markup, times, replaces } of changes)
      parts.splice(
        at % (parts.length + 1),
        replaces ? 1 : 0,
        expand(markup)
          .slice(0, MOST_MARKUP / times)
          .repeat(times),
      );
    if (depth > 0) parts.splice(parts.length >> 1, 0, "<div>".repeat(depth));
    return parts.join("\n");
  };
  return [
    makeTarget("seal: feeds", 2, feed, async ({ page, form }, see) => {
      const whole = form(changed(page));
      const cut = await onlyCommandErrors((async () => cutFeed(whole, { priceOf: () => "5¢" }))());
      see(cut === "refused" ? "refused" : cut === whole ? "nothing marked" : "cut");
    }),
    makeTarget("seal: pages", 3, html, async ({ price, ...page }, see) => {
      const sealed = await onlyCommandErrors(
        sealPage(
          changed(page),
          RESOURCE,
          { ...terms, defaultPrice: price },
          { src: "/tuppence.js", integrity: "sha384-x" },
        ),
      );
      see(sealed === "refused" ? "refused" : sealed ? "sealed" : "nothing marked");
    }),
    makeTarget("seal: the provider's answers", 2, input, async ({ tree, status }, see) => {
      const answer = (genuine: unknown) =>
        answering(() => new Response(mutateJson(genuine, tree), { status }));
      see((await onlyCommandErrors(fetchProvider(ORIGIN, answer(INFO)))) === "refused" ? "refused" : "read");
      await fetchMerchantRecord(ORIGIN, "the-lantern", answer({ merchantRecord: "a.b.c" }));
      await onlyCommandErrors(
        checkOffer(ORIGIN, offer(), answer({ isValid: false, invalidReason: "seal_invalid" })),
      );
    }),
  ];
}

/** The wallet's client, whose provider is broken or is somebody else. */
async function clientTargets(): Promise<Target[]> {
  const account = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
  const signature = { amount: 1_000, id: KEYSET, C_: POINT, dleq: { e: "0".repeat(64), s: "0".repeat(64) } };
  const output = { amount: 1_000, id: KEYSET, B_: POINT };
  const topUp = { id: ID, amount: "5000000", gateway: "sandbox", state: "open", checkoutUrl: `${SITE}/x` };
  const me = { id: "A".repeat(43), currency: "USD", balance: "0", frozen: false, withdrawable: "0" };
  const settled = {
    success: true,
    transaction: ID,
    network: "tuppence:usd",
    payer: "p",
    extensions: { tuppence: { receipt: "a.b.c" } },
  };
  const problem = {
    type: "urn:tuppence:error:clock_skew",
    title: "t",
    status: 401,
    code: "clock_skew",
    serverTime: NOW_SECONDS,
  };
  const quote = {
    quote: "q",
    request: "r",
    amount: 1_000,
    unit: "usd6",
    state: "UNPAID",
    expiry: 1,
    pubkey: POINT,
  };
  type Client = ReturnType<typeof createProviderClient>;
  const calls: readonly (readonly [genuine: object, call: (client: Client) => Promise<unknown>])[] = [
    [INFO, (client) => client.info()],
    [{ keys: [{ ...account.publicJwk, kid: "k" }] }, (client) => client.jwks()],
    [{ keysets: [{ id: KEYSET, unit: "usd6", since: 1 }] }, (client) => client.keysetLog()],
    [
      { keysets: [{ id: KEYSET, unit: "usd6", active: true, input_fee_ppk: 0 }] },
      (client) => client.keysets(),
    ],
    [{ keysets: [{ id: KEYSET, unit: "usd6", keys: { "1000": POINT } }] }, (client) => client.keys(KEYSET)],
    [settled, (client) => client.settle("{}")],
    [{ signatures: [signature] }, (client) => client.swap([], [output])],
    [{ states: [{ Y: POINT, state: "SPENT", witness: null }] }, (client) => client.checkSpent([POINT])],
    [{ outputs: [output], signatures: [signature] }, (client) => client.restore([output])],
    [{ merchantRecord: "a.b.c" }, (client) => client.merchant("the-lantern")],
    [me, (client) => client.account(account)],
    [topUp, (client) => client.createTopUp(account, { id: ID, amount: "5000000", gateway: "sandbox" })],
    [quote, (client) => client.mintQuote(account, { amount: micros(1_000), unit: "usd6", pubkey: POINT })],
  ];
  const input = fc.record({
    which: fc.nat({ max: calls.length - 1 }),
    tree: treeMutations,
    status: statuses,
    refuses: fc.nat({ max: 3 }).map((number) => number === 0),
    header: fc.constantFrom(
      "",
      "1",
      "-1",
      "1e9",
      "999999999",
      "9999999999",
      "Wed, 21 Oct 2015 07:28:00 GMT",
      ...KEYS.slice(0, 3),
    ),
  });
  return [
    makeTarget(
      "client: the provider's answers",
      4,
      input,
      async ({ which, tree, status, refuses, header }, see) => {
        const [genuine, call] = calls[which] ?? [];
        if (!call) return;
        const fetch = answering((path) =>
          path === "/.well-known/tuppence.json" && which > 0
            ? Response.json(INFO)
            : new Response(mutateJson(refuses ? problem : genuine, tree), {
                status: refuses && status === 200 ? 401 : status,
                headers: header === "" ? {} : { "retry-after": header },
              }),
        );
        const client = createProviderClient({
          anonymousOrigin: ORIGIN,
          fetch,
          clock: { nowMs: () => NOW_MS },
        });
        see(
          await call(client).then(
            () => "read",
            (error: unknown) => {
              if (!(error instanceof TuppenceError) || error.code === "internal") throw error;
              return error.code;
            },
          ),
        );
      },
    ),
  ];
}

const statuses = fc.oneof(
  { weight: 5, arbitrary: fc.constant(200) },
  { weight: 1, arbitrary: fc.constantFrom(201, 299, 400, 404, 429, 500, 502, 503, 599) },
);

function answering(answer: (path: string) => Response): typeof fetch {
  return async (address) => answer(new URL(`${address instanceof Request ? address.url : address}`).pathname);
}

async function onlyCommandErrors<T>(work: Promise<T>): Promise<T | "refused"> {
  return work.catch((error: unknown) => {
    if (error instanceof CommandError) return "refused" as const;
    throw error;
  });
}

/** A code of the wallet's own; the page's script made it up otherwise. */
function short(code: string): string {
  return ["ok", "last", "declined", "message_invalid"].includes(code) ? code : "another code";
}
