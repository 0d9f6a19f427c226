/** The decoders of `shared/`: whatever they are given, they answer, or throw what their documentation says. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import * as v from "valibot";
import { decryptArticle, encryptArticle } from "../../../shared/article.ts";
import { fromBase64url, fromHex, fromUtf8, toBase64url, toHex, utf8 } from "../../../shared/bytes.ts";
import { canonicalJson } from "../../../shared/canonical.ts";
import { importSealingKey, openSealed, sealTo } from "../../../shared/hpke.ts";
import { readUnverified, type SigningKey, signingKeyFromSeed, thumbprintOf } from "../../../shared/jws.ts";
import { formatBalance, formatMoney, micros, parseMicros, parseMoney, ZERO } from "../../../shared/money.ts";
import { makeOffer, readTip, type TIP_ATTRIBUTES } from "../../../shared/offer.ts";
import * as cashu from "../../../shared/protocol/cashu.ts";
import * as fields from "../../../shared/protocol/fields.ts";
import * as pageMessages from "../../../shared/protocol/page.ts";
import * as provider from "../../../shared/protocol/provider.ts";
import * as ui from "../../../shared/protocol/ui.ts";
import * as x402 from "../../../shared/protocol/x402.ts";
import {
  HolderProofClaims,
  issueHolderProof,
  issueReceipt,
  verifyHolderProof,
  verifyReceipt,
} from "../../../shared/receipt.ts";
import { issueSeal, openSeal, verifySeal } from "../../../shared/seal.ts";
import { mutateJson, type TreeMutation, treeMutations } from "../mutate.ts";
import { makeTarget, type Target } from "../target.ts";
import { anyText, anyValue, readJson } from "./values.ts";

const ORIGIN = "https://pay.example";
const MERCHANT = "the-lantern";
const RESOURCE = "https://lantern.example/article";
const CHALLENGE = "/article#1790000000";
const NOW_SECONDS = 1_790_000_000;
const ID = "ab".repeat(16);

export async function sharedTargets(): Promise<Target[]> {
  return [...moneyAndBytes(), ...schemas(), ...(await tokens()), ...(await sealedThings())];
}

function moneyAndBytes(): Target[] {
  return [
    makeTarget("amounts", 2, anyText, (text, see) => {
      const wire = parseMicros(text);
      if (wire !== undefined) assert.equal(wire.toString(), text);
      const typed = parseMoney(text);
      if (typed !== undefined) {
        assert.ok(typed > ZERO);
        assert.equal(parseMoney(formatMoney(typed)), typed);
        assert.equal(parseMoney(formatBalance(typed)), typed);
      }
      see(wire === undefined && typed === undefined ? "refused" : "read");
    }),
    makeTarget("bytes as text", 2, anyText, (text, see) => {
      const hex = only(RangeError, () => fromHex(text));
      if (hex) assert.equal(toHex(hex), text.toLowerCase());
      const bytes = only(RangeError, () => fromBase64url(text));
      if (bytes) only(TypeError, () => fromUtf8(bytes));
      see(hex || bytes ? "read" : "refused");
    }),
    makeTarget(
      "canonical JSON",
      2,
      fc.record({ tree: treeMutations, value: anyValue }),
      ({ tree, value }, see) => {
        const read = readJson(mutateJson(someOffer(), tree));
        // Numbers that JSON cannot write (1e400 reads as one); and what is nested deeper than the stack is no message of ours.
        const text = onlyAny([TypeError, RangeError], () => canonicalJson(read));
        if (text !== undefined) assert.equal(canonicalJson(JSON.parse(text)), text);
        see(text === undefined ? "refused" : "written");
        onlyAny([TypeError, RangeError], () => canonicalJson(value));
      },
    ),
    makeTarget("a tip's attributes", 2, fc.record({ tree: treeMutations }), ({ tree }, see) => {
      const genuine = {
        merchant: MERCHANT,
        provider: ORIGIN,
        amount: "25¢",
        least: "1¢",
        most: "$10",
        currency: "USD",
        label: "Tip",
      };
      const attributes = v.safeParse(v.record(v.string(), v.string()), readJson(mutateJson(genuine, tree)));
      const given: Record<string, string> = attributes.success ? attributes.output : {};
      const attribute = (name: (typeof TIP_ATTRIBUTES)[number]) =>
        Object.hasOwn(given, name) ? (given[name] ?? null) : null;
      const tip = readTip(attribute, { resource: RESOURCE, title: "Tides" });
      if (tip) v.parse(v.pipe(v.string(), v.digits()), tip.most);
      see(tip ? "read" : "refused");
    }),
  ];
}

/** Every schema of the protocol, against a message that is nearly one of its kind and against anything at all. */
function schemas(): Target[] {
  const genuine = [
    someOffer(),
    { v: 1, id: "request-1", type: "pay", payload: { offer: someOffer(), mode: "direct" } },
    { kind: "ui", type: "decide", approvalId: ID, approve: true, amount: "50000" },
    {
      inputs: [{ amount: 1_000, id: "00ffffffffffffff", secret: "s", C: `02${"1".repeat(64)}` }],
      outputs: [],
    },
    {
      success: true,
      transaction: ID,
      network: "tuppence:usd",
      payer: "x",
      extensions: { tuppence: { receipt: "a.b.c" } },
    },
    { type: "x", title: "y", status: 400, code: "not_found" },
    { kty: "OKP", crv: "Ed25519", x: "A".repeat(43), kid: "k" },
  ];
  return Object.entries({ cashu, fields, page: pageMessages, provider, ui, x402 }).map(([name, module]) => {
    const all = Object.values(module).filter(isSchema);
    const input = fc.record({
      kind: fc.nat({ max: genuine.length - 1 }),
      tree: treeMutations,
      value: anyValue,
    });
    return makeTarget(`schemas of ${name}`, 2, input, ({ kind, tree, value }, see) => {
      const near = readJson(mutateJson(genuine[kind], tree));
      for (const schema of all)
        see(v.safeParse(schema, near).success || v.safeParse(schema, value).success ? "fits" : "refused");
    });
  });
}

function isSchema(value: unknown): value is v.GenericSchema {
  return v.is(AnySchema, value);
}

const AnySchema = v.looseObject({ kind: v.literal("schema") });

interface TokenInput {
  readonly header: TreeMutation[];
  readonly claims: TreeMutation[];
  readonly text: TreeMutation[];
  readonly signs: boolean;
}

/** A token with what it says changed, signed afresh or not; or its own text changed. */
const tokenInput: fc.Arbitrary<TokenInput> = fc.record({
  header: fc.oneof(
    { weight: 2, arbitrary: fc.constant<TreeMutation[]>([]) },
    { weight: 1, arbitrary: treeMutations },
  ),
  claims: fc.oneof(
    { weight: 1, arbitrary: fc.constant<TreeMutation[]>([]) },
    { weight: 2, arbitrary: treeMutations },
  ),
  text: fc.oneof(
    { weight: 3, arbitrary: fc.constant<TreeMutation[]>([]) },
    { weight: 1, arbitrary: treeMutations },
  ),
  signs: fc.boolean(),
});

async function mutateToken(token: string, key: SigningKey, input: TokenInput): Promise<string> {
  const [header = "", claims = "", signature = ""] = token.split(".");
  const changed = (part: string, mutations: TreeMutation[]) =>
    mutations.length === 0
      ? part
      : toBase64url(utf8(mutateJson(JSON.parse(fromUtf8(fromBase64url(part))), mutations)));
  const content = `${changed(header, input.header)}.${changed(claims, input.claims)}`;
  const proof = input.signs
    ? toBase64url(new Uint8Array(await crypto.subtle.sign("Ed25519", key.privateKey, utf8(content))))
    : signature;
  const written = mutateJson(`${content}.${proof}`, input.text);
  const text = readJson(written);
  return typeof text === "string" ? text : written;
}

async function tokens(): Promise<Target[]> {
  const key = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
  const jkt = await thumbprintOf(key.publicJwk);
  const jwks = { keys: [{ ...key.publicJwk, kid: jkt }] };
  const claims = {
    iss: ORIGIN,
    aud: MERCHANT,
    jti: ID,
    sub: jkt,
    cnf: { jkt },
    amount: micros(50_000),
    currency: "USD",
    resource: RESOURCE,
    kind: "article" as const,
    iat: NOW_SECONDS,
  };
  const receipt = await issueReceipt(claims, key);
  const proof = await issueHolderProof(
    { aud: "https://lantern.example", challenge: CHALLENGE, jti: ID, iat: NOW_SECONDS },
    key,
  );
  const expected = { issuer: ORIGIN, merchant: MERCHANT, resource: RESOURCE, leastAmount: micros(50_000) };
  const contentKey = new Uint8Array(randomBytes(32));
  const providerSeed = new Uint8Array(randomBytes(32));
  const providerKey = await importSealingKey(providerSeed);
  const sealing = await sealingJwk(providerSeed);
  const terms = {
    merchant: MERCHANT,
    resource: RESOURCE,
    amount: 50_000n,
    currency: "USD",
    issuedAtSeconds: NOW_SECONDS,
  };
  const seal = await issueSeal(terms, contentKey, sealing, key);
  return [
    makeTarget("receipts", 3, tokenInput, async (input, see) => {
      const found = await verifyReceipt(await mutateToken(receipt, key, input), jwks, expected);
      if (found && !input.signs) assert.deepEqual(found, claims);
      see(found ? "verified" : "refused");
    }),
    makeTarget("holder proofs", 3, tokenInput, async (input, see) => {
      const token = await mutateToken(proof, key, input);
      readUnverified(token, HolderProofClaims);
      const held = { origin: "https://lantern.example", challenge: CHALLENGE, nowSeconds: NOW_SECONDS };
      see((await verifyHolderProof(token, claims, held)) ? "verified" : "refused");
    }),
    makeTarget("seals", 3, tokenInput, async (input, see) => {
      const found = await verifySeal(await mutateToken(seal, key, input), MERCHANT, [key.publicJwk]);
      const opened = found && (await openSeal(found, providerKey));
      if (found && !input.signs) assert.deepEqual(opened, contentKey);
      see(opened ? "opened" : found ? "verified" : "refused");
    }),
  ];
}

async function sealedThings(): Promise<Target[]> {
  const seed = new Uint8Array(randomBytes(32));
  const key = await importSealingKey(seed);
  const content = utf8('{"paymentId":"x"}');
  const sealed = await sealTo(await sealingJwk(seed), "tuppence payment v1", "bound", content);
  const contentKey = new Uint8Array(randomBytes(32));
  const article = await encryptArticle("<p>paid</p>", contentKey, RESOURCE, new Uint8Array(randomBytes(12)));
  const Sealed = v.object({ enc: v.string(), ct: v.string() });
  return [
    makeTarget("sealed payments", 3, fc.record({ tree: treeMutations }), async ({ tree }, see) => {
      const given = v.safeParse(Sealed, readJson(mutateJson(sealed, tree)));
      if (!given.success) return see("no text");
      const opened = await openSealed(key, "tuppence payment v1", "bound", given.output);
      if (opened) assert.deepEqual(opened, content);
      return see(opened ? "opened" : "refused");
    }),
    makeTarget(
      "sealed articles",
      3,
      fc.record({ tree: treeMutations, text: anyText }),
      async ({ tree, text }, see) => {
        const given = readJson(mutateJson(article, tree));
        const html =
          typeof given === "string" ? await decryptArticle(given, contentKey, RESOURCE) : undefined;
        if (html !== undefined) assert.equal(html, "<p>paid</p>");
        assert.equal(await decryptArticle(text, contentKey, RESOURCE), undefined);
        see(html === undefined ? "refused" : "opened");
      },
    ),
  ];
}

/** RFC 8410 again, for the other curve: only tests need the public half of a private key. */
async function sealingJwk(seed: Uint8Array): Promise<provider.X25519PublicJwk> {
  const prefix = fromHex("302e020100300506032b656e04220420");
  const imported = await crypto.subtle.importKey(
    "pkcs8",
    new Uint8Array([...prefix, ...seed]),
    "X25519",
    true,
    ["deriveBits"],
  );
  const { x } = await crypto.subtle.exportKey("jwk", imported);
  return v.parse(provider.X25519PublicJwk, { kty: "OKP", crv: "X25519", x });
}

function someOffer(): object {
  return makeOffer({
    provider: ORIGIN,
    merchant: MERCHANT,
    amount: 50_000n,
    currency: "USD",
    kind: "article",
    title: "Tides",
    resource: RESOURCE,
  });
}

type ErrorClass = abstract new (...given: never[]) => Error;

function only<T>(allowed: ErrorClass, work: () => T): T | undefined {
  return onlyAny([allowed], work);
}

function onlyAny<T>(allowed: readonly ErrorClass[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (allowed.some((one) => error instanceof one)) return undefined;
    throw error;
  }
}
