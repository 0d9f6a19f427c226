/**
 * The provider's log of a whole life, at its most talkative, searched for everything that travelled: whoever reads the log
 * learns no coin, no key, no receipt, and nothing that joins a reader to a payment.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Writable } from "node:stream";
import * as v from "valibot";
import { beforeAll, expect, it, vi } from "vitest";
import { createLogger } from "../../server/log.ts";
import { paymentGroupId } from "../../server/payments/index.ts";
import { settleAll } from "../../server/settlement/index.ts";
import { type SigningKey, signingKeyFromSeed } from "../../shared/jws.ts";
import { ZERO } from "../../shared/money.ts";
import { issueSeal } from "../../shared/seal.ts";
import { startTestProvider, type TestProvider } from "./provider.ts";
import { approve, makeReader, offerOf, SITE, senderAt } from "./reader.ts";

/** Ids, keys, coins, signatures and tokens are longer than this, and have a digit in them; words and names are not. */
const SECRET = /(?=[A-Za-z0-9_+-]*[0-9])[A-Za-z0-9_+-]{20,}/g;

const lines: string[] = [];
/** Everything that stood in a request, an answer or a wallet. */
const texts: string[] = [];
let phrase: string;

beforeAll(async () => {
  const passOn = globalThis.fetch;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const answer = await passOn(input, init);
    texts.push(String(input), String(init?.body ?? ""), JSON.stringify([...new Headers(init?.headers)]));
    texts.push(await answer.clone().text());
    return answer;
  });
  const destination = new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(chunk.toString("utf8"));
      done();
    },
  });
  const provider = await startTestProvider({}, { logger: createLogger("trace", destination) });
  const sealKey = await registerSite(provider);
  phrase = await live(provider, sealKey);
  await fail(provider);
  await provider.close();
});

/** A reader tops up, withdraws, pays in every way, takes back, and the site is paid. */
async function live(provider: TestProvider, sealKey: SigningKey): Promise<string> {
  const reader = makeReader(provider);
  const made = await reader.wallet.create({ kind: "ui", type: "createWallet" });
  await reader.wallet.resume();
  await reader.topUp(5_000_000n);

  const seal = await sealOf(provider, sealKey);
  await Promise.all([reader.pay(offerOf(provider, { seal })), approve(reader)]);
  const withChange = offerOf(provider, { amount: 4_001_000n, resource: `${SITE}/dear` });
  const [dear] = await Promise.all([reader.pay(withChange), approve(reader)]);
  await reader.wallet.refund({ kind: "ui", type: "refund", paymentId: dear.paymentId });
  const paying = reader.pay(offerOf(provider, { resource: `${SITE}/api` }), "http");
  const [carried] = await Promise.all([paying, approve(reader)]);
  await settleAsSite(provider, carried.paymentSignature ?? "");
  const status = {
    v: 1,
    id: "status-0001",
    type: "status",
    payload: { paymentId: carried.paymentId },
  } as const;
  expect(await reader.wallet.page(status, senderAt())).toMatchObject({ state: "paid" });

  provider.clock.ahead += 7_200_000;
  expect(await settleAll(provider.provider.deps, { now: provider.provider.deps.now() })).not.toEqual([]);
  await reader.wallet.resume();
  expect(reader.faults).toEqual([]);
  // Of a sealed payment the coins travelled where nobody saw them.
  texts.push(
    JSON.stringify(await reader.payments(), (_, member) =>
      typeof member === "bigint" ? `${member}` : member,
    ),
  );
  return made.phrase;
}

/** What makes libraries speak: bodies that are none, bytes that are no HTTP, a record that does not decode. */
async function fail(provider: TestProvider): Promise<void> {
  const { deps } = provider.provider;
  const post = (path: string, body: string) =>
    fetch(provider.origin + path, { method: "POST", headers: { "content-type": "application/json" }, body });
  await post("/x402/settle", `{"secret": "${randomBytes(32).toString("hex")}`);
  await post(
    "/v1/swap",
    JSON.stringify({ inputs: [{ secret: randomBytes(32).toString("hex") }], outputs: [] }),
  );

  const socket = connect(deps.config.port, "127.0.0.1");
  const nonsense = randomBytes(32).toString("hex");
  texts.push(nonsense);
  socket.write(`${nonsense} / HTTP/1.1\r\n\r\n`);
  await once(socket, "data");
  socket.destroy();

  const reader = makeReader(provider);
  await reader.wallet.create({ kind: "ui", type: "createWallet" });
  await reader.wallet.resume();
  await reader.topUp(1_000_000n);
  const [{ paymentId }] = await Promise.all([reader.pay(offerOf(provider)), approve(reader)]);
  damageRecord(deps.config.dataFolder, paymentId);
  await reader.wallet.refund({ kind: "ui", type: "refund", paymentId }).catch(() => undefined);
}

function damageRecord(dataFolder: string, paymentId: string): void {
  const database = new DatabaseSync(join(dataFolder, "tuppence.sqlite"));
  database
    .prepare("UPDATE ledger_groups SET memo = json_set(memo, '$.amount', json('{}')) WHERE id = ?")
    .run(Buffer.from(paymentGroupId(paymentId), "hex"));
  database.close();
}

async function registerSite(provider: TestProvider): Promise<SigningKey> {
  const sealKey = await signingKeyFromSeed(randomBytes(32));
  await provider.provider.deps.merchants.put({
    id: "the-lantern",
    name: "The Lantern",
    origins: [SITE],
    refundWindowSeconds: 3_600,
    payoutMinimum: ZERO,
    sealKeys: [sealKey.publicJwk],
  });
  return sealKey;
}

function sealOf({ provider }: TestProvider, sealKey: SigningKey): Promise<string> {
  const { deps } = provider;
  const issuedAtSeconds = Math.floor(deps.now() / 1_000);
  const terms = { merchant: "the-lantern", resource: `${SITE}/article`, amount: 50_000n, currency: "USD" };
  return issueSeal({ ...terms, issuedAtSeconds }, randomBytes(32), deps.secrets.sealingPublicKey, sealKey);
}

/** What stock x402 middleware does: verify, then settle. */
async function settleAsSite(provider: TestProvider, paymentSignature: string): Promise<void> {
  const payload: unknown = JSON.parse(Buffer.from(paymentSignature, "base64").toString());
  const { accepted } = v.parse(v.looseObject({ accepted: v.unknown() }), payload);
  const body = JSON.stringify({ x402Version: 2, paymentPayload: payload, paymentRequirements: accepted });
  for (const path of ["/x402/verify", "/x402/settle"]) {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body };
    const answer = v.parse(v.looseObject({}), await (await fetch(provider.origin + path, init)).json());
    expect(answer.success ?? answer.isValid).toBe(true);
  }
}

it("has a line for each thing that happened, so that what follows is about the whole of it", () => {
  const log = lines.join("");
  for (const route of [
    "/topups",
    "/gateways/:gateway/events",
    "/v1/mint/quote/account",
    "/v1/mint/account",
    "/x402/verify",
    "/x402/settle",
    "/payments/:id",
    "/payments/:id/refund",
  ])
    expect(log).toContain(`"route":"${route}"`);
  expect(log).toContain('"msg":"a request failed"');
  expect(log).toContain('"type":"ValiError"');
});

it("holds no coin, key, token, receipt, id or signature that travelled", () => {
  const secrets = new Set(texts.join("\n").match(SECRET));
  expect(secrets.size).toBeGreaterThan(400);
  const log = lines.join("");
  expect([...secrets].filter((secret) => log.includes(secret))).toEqual([]);
});

it("holds no two words in a row of a recovery phrase", () => {
  const words = phrase.split(" ");
  const log = lines.join("");
  for (const [index, word] of words.slice(1).entries()) expect(log).not.toContain(`${words[index]} ${word}`);
});

it("holds no address of who asked, and no address of what was read", () => {
  const log = lines.join("");
  expect(log).not.toMatch(/127\.0\.0\.1|::1|::ffff|remoteAddress|localhost/);
  expect(log).not.toContain("lantern");
});
