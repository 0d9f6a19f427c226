import { beforeAll, expect, test } from "vitest";
import { type SigningKey, signingKeyFromSeed, thumbprintOf } from "../../shared/jws.ts";
import { micros } from "../../shared/money.ts";
import { issueHolderProof, issueReceipt, type ReceiptClaims } from "../../shared/receipt.ts";
import { createReceiptVerifier } from "./receipts.ts";

const PROVIDER = "http://127.0.0.1:4020";
const ORIGIN = "https://lantern.example";
const RESOURCE = `${ORIGIN}/api/articles/river?part=2`;
const PAYMENT = "a".repeat(32);
const NOW_SECONDS = 1_700_000_000;
const PRICE = { resource: RESOURCE, leastAmount: micros(50_000) };

let provider: SigningKey;
let holder: SigningKey;
let stranger: SigningKey;

beforeAll(async () => {
  [provider, holder, stranger] = await Promise.all([
    signingKeyFromSeed(new Uint8Array(32).fill(1)),
    signingKeyFromSeed(new Uint8Array(32).fill(2)),
    signingKeyFromSeed(new Uint8Array(32).fill(3)),
  ]);
});

interface World {
  nowSeconds: number;
  revoked: string[];
  isDown: boolean;
  signer: SigningKey;
  asked: string[];
}

function makeWorld(): World & { readonly verifier: ReturnType<typeof createReceiptVerifier> } {
  const world: World = { nowSeconds: NOW_SECONDS, revoked: [], isDown: false, signer: provider, asked: [] };
  const request: typeof fetch = async (input) => {
    const { pathname } = new URL(String(input));
    world.asked.push(pathname);
    if (world.isDown) throw new TypeError("connection refused");
    if (pathname === "/receipts/revoked")
      return Response.json({ revoked: world.revoked.map((jti) => ({ jti, at: 1 })) });
    return Response.json({
      keys: [{ ...world.signer.publicJwk, kid: await thumbprintOf(world.signer.publicJwk) }],
    });
  };
  const verifier = createReceiptVerifier({
    provider: PROVIDER,
    merchant: "lantern",
    fetch: request,
    now: () => world.nowSeconds * 1_000,
  });
  return Object.assign(world, { verifier });
}

interface Altered {
  readonly claims?: Partial<ReceiptClaims>;
  readonly signer?: SigningKey;
  readonly prover?: SigningKey;
  readonly origin?: string;
  readonly challenge?: string;
  readonly payment?: string;
  readonly provedAtSeconds?: number;
}

async function header(altered: Altered = {}): Promise<string> {
  const jkt = await thumbprintOf(holder.publicJwk);
  const claims: ReceiptClaims = {
    iss: PROVIDER,
    aud: "lantern",
    jti: PAYMENT,
    sub: jkt,
    cnf: { jkt },
    amount: micros(50_000),
    currency: "USD",
    resource: RESOURCE,
    kind: "article",
    iat: NOW_SECONDS - 86_400,
    ...altered.claims,
  };
  const receipt = await issueReceipt(claims, altered.signer ?? provider);
  const proof = await issueHolderProof(
    {
      aud: altered.origin ?? ORIGIN,
      challenge: altered.challenge ?? `/api/articles/river?part=2#${NOW_SECONDS}`,
      jti: altered.payment ?? PAYMENT,
      iat: altered.provedAtSeconds ?? NOW_SECONDS,
    },
    altered.prover ?? holder,
  );
  return `${receipt}~${proof}`;
}

test("whoever paid comes back in, however long ago that was", async () => {
  expect(await makeWorld().verifier.verifyReceipt(await header(), PRICE)).toMatchObject({
    jti: PAYMENT,
    amount: 50_000n,
  });
});

test.each(["/", "/a", `/${"a".repeat(1_900)}`])(
  "however short or long its address is: %.5s",
  async (path) => {
    const resource = ORIGIN + path;
    const shown = await header({ claims: { resource }, challenge: `${path}#${NOW_SECONDS}` });
    expect(await makeWorld().verifier.verifyReceipt(shown, { ...PRICE, resource })).toMatchObject({
      resource,
    });
  },
);

const flaws: readonly (readonly [string, () => Altered])[] = [
  ["signed by someone else", () => ({ signer: stranger })],
  ["for another merchant", () => ({ claims: { aud: "gazette" } })],
  ["of another provider", () => ({ claims: { iss: "https://other.example" } })],
  ["for another article", () => ({ claims: { resource: `${ORIGIN}/api/articles/mills` } })],
  ["for less than the price", () => ({ claims: { amount: micros(49_000) } })],
  ["for a tip", () => ({ claims: { kind: "tip" } })],
  ["copied, with the copier's own proof", () => ({ prover: stranger })],
  ["with a proof for another site", () => ({ origin: "https://thief.example" })],
  ["with a proof for another path", () => ({ challenge: `/api/articles/mills#${NOW_SECONDS}` })],
  ["with a proof for another payment", () => ({ payment: "b".repeat(32) })],
  [
    "with a challenge of yesterday",
    () => ({ challenge: `/api/articles/river?part=2#${NOW_SECONDS - 86_400}` }),
  ],
  ["with a proof of yesterday", () => ({ provedAtSeconds: NOW_SECONDS - 86_400 })],
  ["with a challenge that names no moment", () => ({ challenge: "/api/articles/river?part=2" })],
];

test.each(flaws)("a receipt %s opens nothing", async (_what, altered) => {
  expect(await makeWorld().verifier.verifyReceipt(await header(altered()), PRICE)).toBeUndefined();
});

test.each([undefined, "", "~", "rubbish", "a.b.c~d.e.f", `${"a".repeat(20_000)}~b`])(
  "a header that is none opens nothing: %.20s",
  async (value) => {
    expect(await makeWorld().verifier.verifyReceipt(value, PRICE)).toBeUndefined();
  },
);

test("a refunded receipt stops opening as soon as the list is read again", async () => {
  const world = makeWorld();
  expect(await world.verifier.verifyReceipt(await header(), PRICE)).toBeDefined();
  world.revoked = [PAYMENT];
  expect(await world.verifier.verifyReceipt(await header(), PRICE)).toBeDefined();
  world.nowSeconds += 30;
  expect(await world.verifier.verifyReceipt(await header(), PRICE)).toBeUndefined();
});

test("keys and list are asked for once, not for every reader", async () => {
  const world = makeWorld();
  await Promise.all(
    [header(), header()].map(async (value) => world.verifier.verifyReceipt(await value, PRICE)),
  );
  await world.verifier.verifyReceipt(await header(), PRICE);
  expect(world.asked.sort()).toEqual(["/.well-known/jwks.json", "/receipts/revoked"]);
});

test("a provider that is down locks nobody out who is known already, and lets no refunded one back in", async () => {
  const world = makeWorld();
  world.revoked = ["c".repeat(32)];
  await world.verifier.verifyReceipt(await header(), PRICE);
  world.isDown = true;
  world.nowSeconds += 200;
  expect(await world.verifier.verifyReceipt(await header(), PRICE)).toBeDefined();
  expect(
    await world.verifier.verifyReceipt(
      await header({ claims: { jti: "c".repeat(32) }, payment: "c".repeat(32) }),
      PRICE,
    ),
  ).toBeUndefined();
});

test("a key that the provider changed is found, and rubbish does not make us ask for keys each time", async () => {
  const world = makeWorld();
  await world.verifier.verifyReceipt(await header(), PRICE);
  world.signer = stranger;
  world.nowSeconds += 61;
  expect(await world.verifier.verifyReceipt(await header({ signer: stranger }), PRICE)).toBeDefined();
  const asked = world.asked.filter((path) => path.endsWith("jwks.json")).length;
  for (let i = 0; i < 5; i++) await world.verifier.verifyReceipt(await header({ signer: holder }), PRICE);
  expect(world.asked.filter((path) => path.endsWith("jwks.json"))).toHaveLength(asked);
});
