/** The visit of a reader without a wallet: whether the page offers what a wallet can pay, and what comes without paying. */
import * as v from "valibot";
import { signingKeyFromSeed, thumbprintOf } from "../../../shared/jws.ts";
import { micros } from "../../../shared/money.ts";
import type { MerchantRecord } from "../../../shared/protocol/provider.ts";
import { issueHolderProof, issueReceipt } from "../../../shared/receipt.ts";
import { type ReadOffer, readOffer, readOfferHeader } from "../../../wallet/node/index.ts";
import { type Examination, isOk, tryGet, type Visitor } from "./examination.ts";
import { checkFramedBy, checkFrameParent, type FramedPage, findFramed } from "./frames.ts";
import { checkOfferOf, type OfferDeps } from "./offer.ts";
import { type Page, type PageWall, readPage } from "./page.ts";
import { forbidsConnection, forbidsText, readPolicies, sandboxOf } from "./policy.ts";
import type { Answer } from "./requests.ts";
import { type BuiltSnippet, checkSnippet } from "./snippet.ts";

/** One article a page is the rule. */
const MAX_WALLS = 5;

/** What is for sale, as far as it could be read. */
interface AnyWare {
  readonly page: string;
  readonly offer: ReadOffer;
  /** How long the merchant gives money back; zero where nobody knows. */
  readonly refundWindowSeconds: number;
}
export interface SealedWare extends AnyWare {
  readonly kind: "sealed";
  readonly sealed: string;
}
export interface ServedWare extends AnyWare {
  readonly kind: "served";
  readonly src: string;
  /** To who did not pay. */
  readonly answer: Answer;
}
export type Ware = SealedWare | ServedWare;

export interface SeenPage {
  readonly answer: Answer;
  /** Undefined where the address itself answers 402. */
  readonly page: Page | undefined;
  readonly wares: readonly Ware[];
}

export interface ReaderDeps extends OfferDeps {
  readonly examination: Examination;
  readonly built: BuiltSnippet;
}

/** @param answer to the reader's own request for the page, which is one or an offer */
export async function visitAsReader(asked: string, answer: Answer, deps: ReaderDeps): Promise<SeenPage> {
  const { examination } = deps;
  const reader = examination.visitor("reader");
  if (answer.url !== withoutFragment(asked)) reader.find("page-redirected", asked, answer.url);
  if (answer.isCut) reader.find("page-too-large", answer.url);
  if (!isSecure(answer.url)) reader.find("page-not-secure", answer.url);
  const offered = answer.status === 402 ? readOfferHeader(answer.headers.get("PAYMENT-REQUIRED")) : undefined;
  if (answer.status === 402) {
    if (!offered) reader.find("offer-unreadable", answer.url);
    const ware = offered && (await readServed(answer.url, answer.url, answer, offered, reader, deps));
    return { answer, page: undefined, wares: ware ? [ware.ware] : [] };
  }
  const page = readPage(answer.body, answer.url);
  const wares = await visitPage({ answer, page }, reader, deps, undefined);
  const framed = await findFramed(page, answer.url, reader, examination.requests);
  for (const inner of framed) wares.push(...(await visitPage(inner, reader, deps, answer.url)));
  if (page.walls.length === 0 && framed.length === 0) {
    if (page.hasTip) reader.leaveOut("a paywall: the page has none, only a tip jar");
    else reader.find("paywall-missing", answer.url);
  }
  return { answer, page, wares };
}

async function visitPage(
  { answer, page }: FramedPage,
  reader: Visitor,
  deps: ReaderDeps,
  around: string | undefined,
): Promise<Ware[]> {
  if (page.walls.length === 0) return [];
  const policies = readPolicies(answer.headers.get("content-security-policy"), page.policies);
  const sandbox = sandboxOf(policies);
  if (sandbox !== undefined) reader.find("page-sandboxed", answer.url, sandbox);
  const untrusted = forbidsText(policies);
  if (untrusted !== undefined) reader.find("csp-blocks-text", answer.url, untrusted);
  checkMixed(page, answer.url, reader);
  await checkSnippet(page, policies, answer.url, reader, deps);
  if (page.walls.some(({ walletUrl }) => walletUrl === undefined))
    reader.find("wallet-link-missing", answer.url);
  const wares: Ware[] = [];
  for (const wall of page.walls.slice(0, MAX_WALLS)) {
    const found = await readWall(wall, { answer, page }, reader, deps);
    if (!found) continue;
    wares.push(found.ware);
    const parents = found.record?.frameParents ?? [];
    if (around === undefined) checkFramedBy(answer, parents, reader);
    else if (found.record) checkFrameParent({ answer, page }, around, parents, reader);
    if (found.ware.kind !== "served") continue;
    const forbidden = forbidsConnection(policies, found.ware.src, answer.url);
    if (forbidden !== undefined) reader.find("csp-blocks-served", answer.url, forbidden);
  }
  return wares;
}

interface FoundWare {
  readonly ware: Ware;
  readonly record: MerchantRecord | undefined;
}

const WallData = v.object({ offer: v.unknown(), sealed: v.pipe(v.string(), v.minLength(1)) });

async function readWall(
  { src, data }: PageWall,
  { answer, page }: FramedPage,
  reader: Visitor,
  deps: ReaderDeps,
): Promise<FoundWare | undefined> {
  if (src !== undefined) return meet(src, answer.url, reader, deps);
  const read = v.safeParse(WallData, parseJson(data));
  if (!read.success) {
    reader.find("paywall-unreadable", answer.url);
    return undefined;
  }
  const offer = readOffer(read.output.offer);
  if (!offer) {
    reader.find("offer-unreadable", answer.url);
    return undefined;
  }
  const canonical = page.links.filter(({ rel }) => rel.includes("canonical")).map(({ href }) => href);
  const place = {
    where: answer.url,
    isSealed: true,
    page: answer.url,
    addresses: [answer.url, ...canonical],
  };
  const record = await checkOfferOf(offer, place, reader, deps);
  const { sealed } = read.output;
  const { refundWindowSeconds = 0 } = record ?? {};
  return { ware: { kind: "sealed", page: answer.url, offer, sealed, refundWindowSeconds }, record };
}

/** As the snippet does: it asks, and is answered with the offer, or with the article. */
async function meet(
  src: string,
  page: string,
  reader: Visitor,
  deps: ReaderDeps,
): Promise<FoundWare | undefined> {
  if (new URL(src).origin !== new URL(page).origin) {
    reader.find("resource-elsewhere", page, src);
    return undefined;
  }
  const answer = await tryGet(reader, src, { accept: "*/*" });
  if (answer && isOk(answer)) reader.find("served-free", src, `${answer.status}`);
  else if (answer?.status !== 402)
    reader.find("served-unreachable", src, answer ? `${answer.status}` : "no answer");
  else {
    const offer = readOfferHeader(answer.headers.get("PAYMENT-REQUIRED"));
    if (offer) return readServed(src, page, answer, offer, reader, deps);
    reader.find("offer-unreadable", src);
  }
  return undefined;
}

async function readServed(
  src: string,
  page: string,
  answer: Answer,
  offer: ReadOffer,
  reader: Visitor,
  deps: ReaderDeps,
): Promise<FoundWare> {
  const place = { where: src, isSealed: false, page, addresses: [withoutFragment(src), answer.url] };
  const record = await checkOfferOf(offer, place, reader, deps);
  await tryForgeries(src, offer, reader, deps.nowSeconds);
  const { refundWindowSeconds = 0 } = record ?? {};
  return { ware: { kind: "served", page, offer, src: answer.url, answer, refundWindowSeconds }, record };
}

/** What costs nothing to make must open nothing. Here every answer but a refusal is one that opened. */
async function tryForgeries(
  src: string,
  offer: ReadOffer,
  reader: Visitor,
  nowSeconds: number,
): Promise<void> {
  const payload = { enc: "A".repeat(43), ct: "A".repeat(64), expiresAt: nowSeconds + 60 };
  const payment = { x402Version: 2, resource: { url: offer.resource }, accepted: offer.terms, payload };
  const signature = Buffer.from(JSON.stringify(payment)).toString("base64");
  const paid = await tryGet(reader, src, { "PAYMENT-SIGNATURE": signature });
  if (paid && isOk(paid))
    reader.find("payment-not-checked", src, `${paid.status} to a payment without coins`);
  const returned = await tryGet(reader, src, { "PAYMENT-RECEIPT": await forgeReceipt(offer, nowSeconds) });
  if (returned && isOk(returned))
    reader.find("receipt-not-verified", src, `${returned.status} to a receipt signed by nobody's key`);
}

/** Right in every word, and signed by a key that was made for it. */
async function forgeReceipt(
  { terms, resource, merchant, amount, currency }: ReadOffer,
  nowSeconds: number,
): Promise<string> {
  const key = await signingKeyFromSeed(crypto.getRandomValues(new Uint8Array(32)));
  const holder = await thumbprintOf(key.publicJwk);
  const jti = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex");
  const extra = v.safeParse(v.object({ extra: v.object({ provider: v.string() }) }), terms);
  const claims = {
    iss: extra.success ? extra.output.extra.provider : "",
    aud: merchant,
    jti,
    sub: holder,
    cnf: { jkt: holder },
    amount: micros(amount),
    currency,
    resource,
    kind: "article" as const,
    iat: nowSeconds,
  };
  const { origin, pathname, search } = new URL(resource);
  const challenge = `${pathname}${search}#${nowSeconds}`;
  const proof = await issueHolderProof({ aud: origin, challenge, jti, iat: nowSeconds }, key);
  return `${await issueReceipt(claims, key)}~${proof}`;
}

function checkMixed(page: Page, address: string, reader: Visitor): void {
  if (!address.startsWith("https:")) return;
  const loaded = [...page.scripts, ...page.walls, ...page.frames].flatMap(({ src }) => src ?? []);
  const plain = loaded.find((src) => src.startsWith("http:") && !isSecure(src));
  if (plain !== undefined) reader.find("mixed-content", address, plain);
}

/** As browsers see it: this machine needs no TLS. */
function isSecure(url: string): boolean {
  return (
    url.startsWith("https:") ||
    /^http:\/\/(localhost|127\.[\d.]+|\[::1\]|[\w.-]+\.localhost)([:/]|$)/.test(url)
  );
}

function withoutFragment(url: string): string {
  return new URL(url).href.replace(/#.*$/, "");
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}
