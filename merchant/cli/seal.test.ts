import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { afterEach, beforeEach, expect, test } from "vitest";
import { decryptArticle } from "../../shared/article.ts";
import { fromBase64url, toBase64url } from "../../shared/bytes.ts";
import { importSealingKey } from "../../shared/hpke.ts";
import { thumbprintOf } from "../../shared/jws.ts";
import { FacilitatorRequest, PaymentRequired, PaymentRequirements } from "../../shared/protocol/x402.ts";
import { openSeal, verifySeal } from "../../shared/seal.ts";
import { readKey } from "./key.ts";
import { runSeal } from "./seal.ts";

const PROVIDER = "http://127.0.0.1:4020";
const RESOURCE = "https://lantern.example/articles/mills.html";
const PAID =
  "The wheel turns twice a day, because the moon has hauled the whole estuary uphill and must let it down again.";
const PAGE = `<!doctype html>
<html><head><title>Mills – The Lantern</title><meta name="description" content="A walk to a mill that the moon drives.">
</head><body><h1>The moon's own   mill</h1><p>Free to read.</p><!-- tuppence:paid --><p>The <em>wheel</em> turns twice a day, because the moon has hauled the whole estuary uphill and must let it down again.</p><!-- /tuppence:paid --></body></html>`;

let folder: string;
let keyFile: string;
let providerKey: CryptoKeyPair;
let sealingX: string;
/** What the stand-in provider says of an offer that it is asked to verify. */
let invalidReason: string;
let printed: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "seal-"));
  keyFile = join(folder, "key.json");
  invalidReason = "coin_invalid";
  printed = [];
  const pair = await crypto.subtle.generateKey("X25519", true, ["deriveBits"]);
  if (!("privateKey" in pair)) throw new Error("no key pair");
  const { d, x } = await crypto.subtle.exportKey("jwk", pair.privateKey);
  providerKey = await importSealingKey(fromBase64url(d ?? ""));
  sealingX = x ?? "";
  await run("--make-key", "--key", keyFile);
  await writeFile(join(folder, "snippet.js"), "export {};");
});
afterEach(() => rm(folder, { recursive: true }));

let providerMode: "live" | "test" = "live";
const request: typeof fetch = async (input, init) => {
  const path = new URL(String(input)).pathname;
  if (path === "/.well-known/tuppence.json") {
    return Response.json({
      name: "P",
      mode: providerMode,
      origin: PROVIDER,
      accountsOrigin: "http://localhost:4020",
      currency: "USD",
      unit: "usd6",
      network: "tuppence:usd",
      sandbox: true,
      sealingKey: { kty: "OKP", crv: "X25519", x: sealingX },
      topUps: { gateways: [], least: "0", most: "0" },
      largestPayment: "10000000",
    });
  }
  if (path === "/x402/verify") {
    v.parse(FacilitatorRequest, JSON.parse(String(init?.body)));
    return Response.json({ isValid: false, invalidReason });
  }
  return path === "/merchants/lantern"
    ? Response.json({ merchantRecord: "a.b.c" })
    : Response.json({}, { status: 404 });
};

function run(...args: string[]): Promise<void> {
  return runSeal(args, {
    fetch: request,
    now: () => 1_700_000_000_000,
    print: (line) => printed.push(line),
    write: () => undefined,
    note: () => undefined,
  });
}

const terms = (...more: string[]) => [
  "--key",
  keyFile,
  "--merchant",
  "lantern",
  "--provider",
  PROVIDER,
  "--snippet",
  join(folder, "snippet.js"),
  ...more,
];

async function sealOne(html: string, ...more: string[]): Promise<string> {
  await writeFile(join(folder, "in.html"), html);
  await run(
    ...terms("--resource", RESOURCE, ...more),
    join(folder, "in.html"),
    join(folder, "out", "mills.html"),
  );
  return readFile(join(folder, "out", "mills.html"), "utf8");
}

test("who seals for test mode is told so, and who seals for real money is not", async () => {
  await sealOne(PAGE, "--price", "5¢");
  expect(printed.join("\n")).not.toContain("test mode");
  providerMode = "test";
  await sealOne(PAGE, "--price", "5¢");
  expect(printed.join("\n")).toContain("P is in test mode: readers pay with play money.");
  providerMode = "live";
});

test("the published page lacks the paid text, and the provider's key opens it again, letter for letter", async () => {
  const html = await sealOne(PAGE, "--price", "5¢");
  expect(html).not.toContain("estuary");
  expect(html).toContain("<p>Free to read.</p>");
  expect(html).toMatch(
    /<script type="module" src="tuppence.js" integrity="sha384-[^"]{64}"><\/script>\n<\/head>/,
  );
  expect(await readFile(join(folder, "out", "tuppence.js"), "utf8")).toBe("export {};");

  const data: unknown = JSON.parse(
    /<tuppence-paywall class="tuppence-paid"><script type="application\/tuppence\+json">(.*?)<\/script>/.exec(
      html,
    )?.[1] ?? "",
  );
  const { offer, sealed } = v.parse(v.object({ offer: PaymentRequired, sealed: v.string() }), data);
  const { extra, ...accepted } = v.parse(PaymentRequirements, offer.accepts[0]);
  expect(accepted).toMatchObject({ amount: 50_000n, payTo: "lantern", network: "tuppence:usd" });
  expect(extra).toMatchObject({ title: "The moon's own mill", provider: PROVIDER, merchantRecord: "a.b.c" });
  const key = await readKey(keyFile);
  const claims = await verifySeal(extra.seal ?? "", "lantern", [
    { ...key.publicJwk, kid: await thumbprintOf(key.publicJwk) },
  ]);
  expect(claims).toMatchObject({ resource: RESOURCE, amount: 50_000n, iat: 1_700_000_000 });
  const contentKey = claims && (await openSeal(claims, providerKey));
  expect(await decryptArticle(sealed, contentKey ?? new Uint8Array(), RESOURCE)).toBe(
    `<p>The <em>wheel</em>${PAID.slice(9)}</p>`,
  );
});

test("an element can be marked instead, with a price of its own, and keeps its tags", async () => {
  const html = await sealOne(
    `<h1>A</h1><section class="body" data-tuppence-price="7.5¢"><p>${PAID}</p></section>`,
    "--price",
    "5¢",
  );
  expect(html).toContain('"amount":"75000"');
  expect(html).toMatch(
    /<section class="body" data-tuppence-price="7.5¢"><tuppence-paywall class="tuppence-paid">.*<\/tuppence-paywall><\/section>/s,
  );
});

test("a title cannot break out of the page's script", async () => {
  const html = await sealOne(
    PAGE.replace("The moon's own   mill", "A &lt;/script&gt;&lt;img src=x&gt; mill"),
    "--price",
    "5¢",
  );
  expect(html).not.toContain("</script><img");
  expect(html).toContain("\\u003c/script>");
});

test.each([
  ["nothing is marked", "<p>All free.</p>", "5¢", "nothing is marked"],
  ["two parts are marked, and neither has a name", PAGE + PAGE, "5¢", "two paid parts without a name"],
  ["the end mark is missing", PAGE.replace("<!-- /tuppence:paid -->", ""), "5¢", "do not match|has no"],
  [
    "the marks stand in different elements",
    "<div><!-- tuppence:paid --><p>a</p></div><!-- /tuppence:paid -->",
    "5¢",
    "same element",
  ],
  ["the paid part is empty", "<!-- tuppence:paid --> <!-- /tuppence:paid -->", "5¢", "empty"],
  ["the price is finer than a coin", PAGE, "0.05¢", "cannot be paid in coins"],
  ["the price is none", PAGE, "five cents", "not a price"],
  ["the price is above what the provider takes", PAGE, "$11", "largest payment"],
])("refuses when %s", async (_what, html, price, words) => {
  await expect(sealOne(html, "--price", price)).rejects.toThrow(new RegExp(words));
});

test.each([
  ["the description", PAGE.replace("A walk to a mill that the moon drives.", PAID)],
  [
    "JSON-LD, behind escapes",
    PAGE.replace(
      "</head>",
      `<script type="application/ld+json">{"articleBody":"${PAID.replace("wheel", "w\\u0068eel")}"}</script></head>`,
    ),
  ],
  ["a comment", PAGE.replace("</body>", `<!-- ${PAID} --></body>`)],
  [
    "a hidden copy with other markup",
    PAGE.replace("</body>", `<div hidden>${PAID.replace("moon has", "<b>moon</b>\n has")}</div></body>`),
  ],
])("refuses when paid text also stands in %s", async (_where, html) => {
  await expect(sealOne(html, "--price", "5¢")).rejects.toThrow(/also stands in the free part/);
});

test("refuses when nobody answers, or the provider does not know the key", async () => {
  const dead = () => Promise.reject(new Error("connection refused"));
  await writeFile(join(folder, "in.html"), PAGE);
  const args = terms(
    "--price",
    "5¢",
    "--resource",
    RESOURCE,
    join(folder, "in.html"),
    join(folder, "out.html"),
  );
  await expect(
    runSeal(args, {
      fetch: dead,
      now: Date.now,
      print: () => undefined,
      write: () => undefined,
      note: () => undefined,
    }),
  ).rejects.toThrow(/cannot be reached/);
  invalidReason = "seal_invalid";
  await expect(sealOne(PAGE, "--price", "5¢")).rejects.toThrow(/register the key/);
  await expect(stat(join(folder, "out.html"))).rejects.toThrow();
});

test("a key is readable by its owner only, and is never written over", async () => {
  expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  await expect(run("--make-key", "--key", keyFile)).rejects.toThrow(/there is a key already/);
  expect(printed).toHaveLength(1);
  expect(printed[0]).toMatch(/^\{"kty":"OKP","crv":"Ed25519","x":"[\w-]{43}"\}$/);
});

test("a page that would come without TLS is not sealed: browsers would not open it", async () => {
  await writeFile(join(folder, "in.html"), PAGE);
  for (const resource of ["http://lantern.example/a", "http://localhost.example/a", "ftp://127.0.0.1/a"])
    await expect(
      run(
        ...terms("--price", "5¢", "--resource", resource),
        join(folder, "in.html"),
        join(folder, "out.html"),
      ),
    ).rejects.toThrow(/not an address that begins with https/);
});

test("the page to read is never written over", async () => {
  await writeFile(join(folder, "in.html"), PAGE);
  await expect(
    run(...terms("--price", "5¢", "--resource", RESOURCE), join(folder, "in.html"), join(folder, "in.html")),
  ).rejects.toThrow(/clear text would be lost/);
});

async function writeSite(files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(folder, "site", "articles"), { recursive: true });
  for (const [path, content] of Object.entries(files)) await writeFile(join(folder, "site", path), content);
}

const site = () =>
  terms(
    "--price",
    "5¢",
    "--base-url",
    "https://lantern.example/",
    "--site",
    join(folder, "site"),
    "--out",
    join(folder, "public"),
  );

test("a whole folder is sealed, each page for its own address, and the rest is copied", async () => {
  await writeSite({ "index.html": "<h1>Front</h1>", "style.css": "p{}", "articles/mills.html": PAGE });
  await run(...site());
  const page = await readFile(join(folder, "public/articles/mills.html"), "utf8");
  expect(page).toContain(`"resource":{"url":"${RESOURCE}"`);
  expect(page).toContain('src="../tuppence.js"');
  expect(await readFile(join(folder, "public/style.css"), "utf8")).toBe("p{}");
  expect(printed.at(-1)).toMatch(/pages: 1 sealed, .*other files: 2 copied/);
});

test.each([
  [
    "a feed, escaped twice",
    "feed.xml",
    `<rss><item><description>&lt;p&gt;The &lt;em&gt;wheel&lt;/em&gt;${PAID.slice(9)}&lt;/p&gt;</description></item></rss>`,
  ],
  [
    "a feed's CDATA",
    "feed.xml",
    `<rss><item><description><![CDATA[<p>${PAID}</p>]]></description></item></rss>`,
  ],
  ["another page", "index.html", `<p>${PAID}</p>`],
  ["a search index", "search.json", JSON.stringify({ body: PAID })],
])(
  "refuses the whole folder when paid text stands in %s, and writes nothing",
  async (_where, path, content) => {
    await writeSite({ "articles/mills.html": PAGE, [path]: content });
    await expect(run(...site())).rejects.toThrow(new RegExp(`${path}: gives away`));
    await expect(stat(join(folder, "public"))).rejects.toThrow();
  },
);

test("the clear text is not published beside the sealed one", async () => {
  await writeSite({ "articles/mills.html": PAGE });
  const args = [...site().slice(0, -1), join(folder, "site", "public")];
  await expect(run(...args)).rejects.toThrow(/must not be --site or lie within it/);
});

test("bytes stand in for a key nowhere: a damaged key file is named", async () => {
  await writeFile(
    join(folder, "bad.json"),
    JSON.stringify({
      kty: "OKP",
      crv: "Ed25519",
      x: toBase64url(new Uint8Array(32)),
      d: toBase64url(new Uint8Array(32)),
    }),
  );
  await expect(
    run(
      ...terms("--key", join(folder, "bad.json"), "--price", "5¢", "--resource", RESOURCE),
      "a.html",
      "b.html",
    ),
  ).rejects.toThrow(/do not belong together/);
});
