import { expect, test } from "vitest";
import { encryptArticle } from "../../shared/article.ts";
import { toBase64url } from "../../shared/bytes.ts";
import { makeOffer } from "../../shared/offer.ts";
import type { PageRequestType } from "../../shared/protocol/page.ts";
import {
  buy,
  comeBack,
  type Deps,
  meet,
  type SealedArticle,
  type ServedArticle,
  unreadable,
} from "./article.ts";
import type { Ask } from "./conversation.ts";
import { fieldsOf } from "./decode.ts";
import { readOffer } from "./offer.ts";
import { Problem } from "./problem.ts";

const RESOURCE = "https://paper.example/articles/mills.html";
const OFFER = makeOffer({
  provider: "https://pay.example",
  merchant: "paper",
  amount: 50_000n,
  currency: "USD",
  kind: "article",
  title: "Mühlen",
  resource: RESOURCE,
  seal: "a.b.c",
});
const KEY = new Uint8Array(32).fill(7);
const HEADER = Buffer.from(JSON.stringify(OFFER)).toString("base64");

/** A wallet that gives these answers, and a network that gives these responses, each in turn; both keep what they were asked. */
function world(
  answers: Partial<Record<PageRequestType, object>>,
  responses: readonly (Response | Error)[] = [],
) {
  const asked: { type: PageRequestType; payload: object }[] = [];
  const fetched: Record<string, string>[] = [];
  const left = [...responses];
  const ask: Ask = async (type, payload, decode) => {
    asked.push({ type, payload });
    const result = decode(fieldsOf(answers[type]));
    if (!result) throw new Problem("entitlement_unknown", "Nothing was bought here yet.");
    return result;
  };
  const deps: Deps = {
    ask,
    fetch: async (_url, init) => {
      fetched.push(Object.fromEntries(new Headers(init?.headers)));
      const response = left.shift();
      if (!response) throw new Error("nothing more was expected");
      if (response instanceof Error) throw response;
      return response;
    },
    now: () => 1_700_000_000_999,
    wait: async () => undefined,
  };
  return { deps, asked, fetched };
}

async function sealedArticle(): Promise<SealedArticle> {
  const offer = readOffer(OFFER);
  if (!offer) throw new Error("the offer does not read");
  return { offer, sealed: await encryptArticle("<p>The rest.</p>", KEY, RESOURCE, new Uint8Array(12)) };
}

async function servedArticle(): Promise<ServedArticle> {
  const met = await meet(RESOURCE, {
    fetch: async () => new Response("", { status: 402, headers: { "PAYMENT-REQUIRED": HEADER } }),
  });
  if (typeof met === "string") throw new Error("no offer was met");
  return met;
}

test("a sealed article opens with the key that came with the payment", async () => {
  const { deps, asked } = world({ pay: { paymentId: "1", contentKey: toBase64url(KEY) } });
  expect(await buy(await sealedArticle(), deps, () => undefined)).toEqual({
    paymentId: "1",
    html: "<p>The rest.</p>",
  });
  expect(asked).toEqual([{ type: "pay", payload: { offer: OFFER, mode: "direct" } }]);
});

test.each([
  ["another key", toBase64url(new Uint8Array(32))],
  ["no key", undefined],
  ["a key that is none", "!".repeat(43)],
])("a payment that brings %s is reported, so that the money comes back", async (_what, contentKey) => {
  const { deps, asked } = world({ pay: { paymentId: "1", contentKey } });
  await expect(buy(await sealedArticle(), deps, () => undefined)).rejects.toMatchObject({
    code: "content_unreadable",
  });
  expect(asked.at(-1)).toEqual({
    type: "status",
    payload: { paymentId: "1", problem: "content_unreadable" },
  });
});

test("an article that the page does not let in is reported too, so that the money comes back", async () => {
  const { deps, asked } = world({ status: { state: "refunded" } });
  expect(unreadable("1", deps.ask)).toMatchObject({ code: "content_unreadable" });
  expect(asked).toEqual([{ type: "status", payload: { paymentId: "1", problem: "content_unreadable" } }]);
});

test("an article behind a back end is fetched with the payment, and the wallet is told to look", async () => {
  const { deps, asked, fetched } = world({ pay: { paymentId: "1", paymentSignature: "sig" } }, [
    new Response("<p>Served.</p>"),
  ]);
  expect((await buy(await servedArticle(), deps, () => undefined)).html).toBe("<p>Served.</p>");
  expect(fetched).toEqual([{ "payment-signature": "sig" }]);
  expect(asked.map(({ type }) => type)).toEqual(["pay", "status"]);
});

test("a lost answer is asked for again with the same payment, not with another one", async () => {
  const { deps, asked, fetched } = world({ pay: { paymentId: "1", paymentSignature: "sig" } }, [
    new TypeError("cut"),
    new Response("", { status: 502 }),
    new Response("ok"),
  ]);
  expect((await buy(await servedArticle(), deps, () => undefined)).html).toBe("ok");
  expect(fetched).toEqual([
    { "payment-signature": "sig" },
    { "payment-signature": "sig" },
    { "payment-signature": "sig" },
  ]);
  expect(asked.filter(({ type }) => type === "pay")).toHaveLength(1);
});

test("a site that takes the payment and refuses is named, and the wallet is told to look", async () => {
  const { deps, asked } = world({ pay: { paymentId: "1", paymentSignature: "sig" } }, [
    new Response("no", { status: 403 }),
  ]);
  await expect(buy(await servedArticle(), deps, () => undefined)).rejects.toMatchObject({
    code: "site_failed",
  });
  expect(asked.at(-1)).toEqual({ type: "status", payload: { paymentId: "1" } });
});

test("coming back to a sealed article asks for this resource and this seal", async () => {
  const { deps, asked } = world({
    entitlement: { paymentId: "1", receipt: "r", holderProof: "p", contentKey: toBase64url(KEY) },
  });
  expect((await comeBack(await sealedArticle(), deps))?.html).toBe("<p>The rest.</p>");
  const challenge = "/articles/mills.html#1700000000";
  expect(asked).toEqual([
    { type: "entitlement", payload: { merchant: "paper", resource: RESOURCE, seal: "a.b.c", challenge } },
  ]);
});

test("coming back to a back end sends receipt and proof, and no seal is asked for", async () => {
  const { deps, asked, fetched } = world(
    { entitlement: { paymentId: "1", receipt: "r", holderProof: "p" } },
    [new Response("again")],
  );
  expect((await comeBack(await servedArticle(), deps))?.html).toBe("again");
  expect(fetched).toEqual([{ "payment-receipt": "r~p" }]);
  expect(asked[0]?.payload).not.toHaveProperty("seal");
});

test("nothing bought, or a receipt that the site refuses, leaves the article locked without an error", async () => {
  expect(await comeBack(await sealedArticle(), world({}).deps)).toBeUndefined();
  const { deps } = world({ entitlement: { paymentId: "1", receipt: "r", holderProof: "p" } }, [
    new Response("", { status: 402 }),
  ]);
  expect(await comeBack(await servedArticle(), deps)).toBeUndefined();
});

test("a back end that wants no money opens at once; one that asks for none of ours is told apart", async () => {
  expect(await meet(RESOURCE, { fetch: async () => new Response("free") })).toBe("free");
  await expect(
    meet(RESOURCE, { fetch: async () => new Response("", { status: 402 }) }),
  ).rejects.toMatchObject({ code: "offer_invalid" });
  await expect(
    meet(RESOURCE, { fetch: async () => new Response("", { status: 500 }) }),
  ).rejects.toMatchObject({ code: "offer_invalid" });
});
