import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runSeal } from "./seal.ts";
import { sealFolder } from "./seal-folder.ts";

const PROVIDER = "http://127.0.0.1:4020";
const BASE = "https://lantern.example";
const page = (
  name: string,
  mark = "",
  paid = `The ${name} turns twice a day, because the moon has hauled its whole estuary uphill.`,
) =>
  `<!doctype html><html><head><title>${name}</title><meta name="description" content="About the ${name}."></head><body><h1>${name}</h1><p>Free words of the ${name}.</p><!-- tuppence:paid${mark} --><p>${paid}</p><!-- /tuppence:paid --></body></html>`;

let folder: string;
let sealingX: string;
let asked: string[];
/** What the provider says of an offer, by the moment at which it was sealed. */
let judge: (issuedAtSeconds: number) => string;
let nowMs: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "seal-site-"));
  asked = [];
  judge = () => "coin_invalid";
  nowMs = 1_700_000_000_000;
  sealingX = await makeSealingKey();
  await makeKey("key.json");
  await writeFile(join(folder, "snippet.js"), "export {};");
  await write("mill.html", page("mill"));
  await write("wheel.html", page("wheel"));
  await write("style.css", "p{}");
});
afterEach(() => rm(folder, { recursive: true }));

test("sealing again writes nothing where nothing has changed, and says so", async () => {
  const first = await seal();
  expect(first.outcomes).toEqual({ "mill.html": "sealed", "wheel.html": "sealed" });
  const before = await readOut();
  const times = await timesOf();
  nowMs += 86_400_000;
  const second = await seal();
  expect(second.outcomes).toEqual({ "mill.html": "unchanged", "wheel.html": "unchanged" });
  expect(second).toMatchObject({ copied: 0, sameFiles: 1, removed: [] });
  expect(await readOut()).toEqual(before);
  expect(await timesOf(), "not even written over with the same").toEqual(times);
});

test.each<[string, () => unknown]>([
  ["its text", () => write("mill.html", page("mill", "", "Another text."))],
  ["its price", () => write("mill.html", page("mill", " 7¢"))],
  ["its name", () => write("mill.html", page("mill", " part=a"))],
])("a page is sealed anew when %s has changed, and the other stays byte by byte", async (_what, change) => {
  await seal();
  const before = await readOut();
  await change();
  const { outcomes } = await seal();
  expect(outcomes).toEqual({ "mill.html": "sealed", "wheel.html": "unchanged" });
  const after = await readOut();
  expect(sealOf(after["mill.html"])).not.toBe(sealOf(before["mill.html"]));
  expect(after["wheel.html"]).toBe(before["wheel.html"]);
});

test.each<[string, () => unknown, Partial<Parameters<typeof sealFolder>[0]>]>([
  ["the price of all", () => undefined, { price: "7¢" }],
  ["the merchant", () => undefined, { merchant: "mirror" }],
  ["the address", () => undefined, { baseUrl: "https://mirror.example" }],
  ["the signing key", () => makeKey("key.json"), {}],
  [
    "the provider's key",
    async () => {
      sealingX = await makeSealingKey();
    },
    {},
  ],
])("everything is sealed anew when %s has changed", async (_what, change, options) => {
  await seal();
  await change();
  expect((await seal(options)).outcomes).toEqual({ "mill.html": "sealed", "wheel.html": "sealed" });
});

test("where only what stands around the paid part has changed, the seals stay: readers' keys still fit", async () => {
  await seal();
  const before = await readOut();
  await write("mill.html", page("mill").replace("Free words", "Other words"));
  await writeFile(join(folder, "snippet.js"), "export const newer = 1;");
  expect((await seal({ walletUrl: "/about.html" })).outcomes).toEqual({
    "mill.html": "written",
    "wheel.html": "written",
  });
  const after = await readOut();
  expect(after["mill.html"]).toContain("Other words");
  expect(after["mill.html"]).not.toContain(integrityOf(before["mill.html"]));
  expect(sealOf(after["mill.html"])).toBe(sealOf(before["mill.html"]));
});

test("a page that was altered in the published folder, or laid there in clear, is put right", async () => {
  await seal();
  const before = await readOut();
  await writeFile(join(folder, "public/mill.html"), page("mill"));
  await rm(join(folder, "public/wheel.html"));
  await writeFile(join(folder, "public/style.css"), "x{}");
  await seal();
  expect(await readOut()).toEqual(before);
});

test("seals whose file was deleted, damaged, altered or moved are made anew", async () => {
  const state = join(folder, "public.seals.json");
  for (const harm of [
    () => rm(state),
    () => writeFile(state, "{"),
    async () => writeFile(state, (await readFile(state, "utf8")).replace(/"sealed":"..../, '"sealed":"AAAA')),
    () => rename(state, join(folder, "elsewhere.json")),
  ]) {
    await seal();
    const before = await readOut();
    await harm();
    expect((await seal()).outcomes).toEqual({ "mill.html": "sealed", "wheel.html": "sealed" });
    expect((await readOut())["mill.html"]).not.toBe(before["mill.html"]);
  }
  const before = await readOut();
  expect((await seal({ state: join(folder, "public.seals.json") })).outcomes["mill.html"]).toBe("unchanged");
  expect(await readOut()).toEqual(before);
});

test("a page that the site has no more is removed, and nothing that was not written by us", async () => {
  await seal();
  await rm(join(folder, "site/mill.html"));
  await writeFile(join(folder, "public/CNAME"), "lantern.example");
  expect((await seal()).removed).toEqual(["mill.html"]);
  expect(Object.keys(await readOut()).sort()).toEqual(["CNAME", "style.css", "tuppence.js", "wheel.html"]);
});

test("a list of files that leads out of the folder removes nothing there", async () => {
  await seal();
  const state = join(folder, "public.seals.json");
  const text = await readFile(state, "utf8");
  for (const path of ["../key.json", "/etc/hostname", "a/../../key.json"]) {
    await writeFile(state, text.replace('"files":[', `"files":[${JSON.stringify(path)},`));
    expect((await seal()).removed).toEqual([]);
  }
  expect((await stat(join(folder, "key.json"))).isFile()).toBe(true);
});

test("the provider judges the oldest seal that is kept, and where it takes it no more all are made anew", async () => {
  await seal();
  const first = Math.floor(nowMs / 1_000);
  nowMs += 10_000;
  await write("mill.html", page("mill", "", "Another text."));
  await seal();
  judge = (issuedAtSeconds) => (issuedAtSeconds <= first ? "seal_outdated" : "coin_invalid");
  expect((await seal()).outcomes).toEqual({ "mill.html": "sealed", "wheel.html": "sealed" });
});

test("a provider that refuses leaves everything as it is", async () => {
  await seal();
  const before = await readOut();
  await write("mill.html", page("mill", "", "Another text."));
  judge = () => "seal_invalid";
  await expect(seal()).rejects.toThrow(/register the key/);
  expect(await readOut()).toEqual(before);
});

test("what a killed run left unfinished is cleared away", async () => {
  await seal();
  const before = await readOut();
  await writeFile(join(folder, "public/mill.html.5f.tuppence-unfinished"), "<p>half");
  await seal();
  expect(await readOut()).toEqual(before);
});

test("a run that is killed leaves whole pages, and the next one goes on with the same seals", async () => {
  for (let index = 0; index < 200; index++) await write(`p${index}.html`, page(`p${index}`));
  const answer = await request(`${PROVIDER}/.well-known/tuppence.json`);
  await writeFile(join(folder, "provider.json"), await answer.text());
  const options = {
    key: "key.json",
    merchant: "lantern",
    provider: PROVIDER,
    price: "5¢",
    "base-url": BASE,
    site: "site",
    out: "public",
    snippet: "snippet.js",
    offline: "provider.json",
  };
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, "main.ts"),
      "seal",
      ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
    ],
    { cwd: folder, stdio: "ignore" },
  );
  const ended = once(child, "exit");
  const written = async () =>
    (await readdir(join(folder, "public")).catch(() => [])).filter((path) => path.endsWith(".html"));
  while (child.exitCode === null && (await written()).length === 0)
    await new Promise((resolve) => setImmediate(resolve));
  child.kill("SIGKILL");
  await ended;
  const left = await readOut();
  const pages = Object.entries(left).filter(([path]) => path.endsWith(".html"));
  expect(pages.length).toBeGreaterThan(0);
  for (const [path, html] of pages) expect(html, path).toMatch(/<tuppence-paywall.*<\/html>$/s);
  await seal({ offline: join(folder, "provider.json") });
  expect(await readOut()).toMatchObject(Object.fromEntries(pages));
  expect(Object.keys(await readOut())).toHaveLength(204);
});

test("clear text that lies in the published folder, from whoever, is not left there in silence", async () => {
  await seal();
  for (const [path, content] of [
    ["old.html", page("old")],
    ["old.xml", "<rss><item><description><![CDATA[<!-- tuppence:paid -->]]></description></item></rss>"],
  ] as const) {
    await writeFile(join(folder, "public", path), content);
    await expect(seal()).rejects.toThrow(
      new RegExp(`public/${path}: lies in the folder that is published, in clear`),
    );
    await rm(join(folder, "public", path));
  }
  await writeFile(join(folder, "public/old.html"), (await readOut())["mill.html"] ?? "");
  await expect(seal(), "a sealed page is none in clear").resolves.toBeDefined();
});

test("feeds get the teaser only", async () => {
  const paid = /<!-- tuppence:paid -->.*<!-- \/tuppence:paid -->/s.exec(page("mill"))?.[0] ?? "";
  await write(
    "feed.xml",
    `<rss><channel><item><link>${BASE}/mill.html</link><description><![CDATA[<p>Free words of the mill.</p>${paid}]]></description></item></channel></rss>`,
  );
  expect((await seal()).feeds).toEqual(["feed.xml"]);
  const feed = (await readOut())["feed.xml"];
  expect(feed).toContain(
    `<p>Free words of the mill.</p><!-- tuppence:paid --><p class="tuppence-more"><a href="${BASE}/mill.html">Read on for 5¢</a></p>`,
  );
  expect(feed).not.toContain("estuary");
  await write(
    "feed.xml",
    `<rss><channel><item><description><![CDATA[${paid.replaceAll(/<!--.*?-->/g, "")}]]></description></item></channel></rss>`,
  );
  await expect(seal(), "without its marks it cannot be cut").rejects.toThrow(
    /feed.xml: gives away paid text of mill.html/,
  );
});

test("a compressed copy of a page, and a mark where nothing can be cut, are not published in clear", async () => {
  await write("mill.html.gz", "bytes");
  await expect(seal()).rejects.toThrow(/mill.html.gz: holds the clear text of mill.html/);
  await rm(join(folder, "site/mill.html.gz"));
  await write("mill.md", "# Mill\n<!-- tuppence:paid -->\nText.\n<!-- /tuppence:paid -->");
  await expect(seal()).rejects.toThrow(/mill.md: .*neither a page nor a feed/);
  await rm(join(folder, "site/mill.md"));
  await write("search.js", `const index = ["${/<p>(The mill.*?)<\/p>/.exec(page("mill"))?.[1]}"];`);
  await expect(seal()).rejects.toThrow(/search.js: gives away/);
});

test.each<[string, () => Promise<unknown>, string]>([
  [
    "is not in UTF-8",
    () => write("odd.html", Buffer.from("<p>caf\xe9</p>", "latin1")),
    "odd.html: the file is not text in UTF-8",
  ],
  [
    "is in UTF-16",
    () => write("odd.html", Buffer.from(page("odd"), "utf16le")),
    "odd.html: the file is not text in UTF-8",
  ],
  [
    "is marked and not in UTF-8",
    () => write("odd.txt", Buffer.from("\xe9<!-- tuppence:paid -->", "latin1")),
    "odd.txt: the file is not text in UTF-8",
  ],
  [
    "has 5 MB",
    () => write("odd.html", page("odd", "", "x ".repeat(2_621_440))),
    "odd.html: the file has 5.0 MB, and a page may have 4",
  ],
  [
    "links out of the folder",
    () => symlink(join(folder, "key.json"), join(folder, "site/odd.html")),
    "odd.html: is a link out of the folder",
  ],
  [
    "links to nothing",
    () => symlink("nowhere", join(folder, "site/odd.html")),
    "odd.html: is a link to nothing",
  ],
  ["links to a folder", () => symlink(".", join(folder, "site/odd")), "odd: is a link to a folder"],
  [
    "has a part that begins within another",
    () =>
      write(
        "odd.html",
        `<body><!-- tuppence:paid --><p>a</p><section data-tuppence-price="5¢" data-tuppence-part="b">b</section><!-- /tuppence:paid -->`,
      ),
    "odd.html: .*must not nest or cross",
  ],
  [
    "has parts that cross",
    () =>
      write(
        "odd.html",
        `<body><!-- tuppence:paid part=a --><p>a</p><!-- tuppence:paid part=b --><p>b</p><!-- /tuppence:paid --><p>c</p><!-- /tuppence:paid -->`,
      ),
    "odd.html: .*must not nest or cross",
  ],
  [
    "has a mark without an end",
    () => write("odd.html", "<!-- tuppence:paid --><p>a</p>"),
    "odd.html: .*do not match|odd.html: .*has no",
  ],
  [
    "has an element that is not closed",
    () => write("odd.html", `<p data-tuppence-price="5¢">a`),
    "odd.html: .*is not closed",
  ],
  [
    "has one name twice",
    () =>
      write(
        "odd.html",
        `<section data-tuppence-price="5¢" data-tuppence-part="a">a</section><section data-tuppence-price="5¢" data-tuppence-part="a">b</section>`,
      ),
    "odd.html: .*two paid parts with the name “a”",
  ],
  [
    "has a name that is none",
    () => write("odd.html", `<section data-tuppence-price="5¢" data-tuppence-part='"><b>'>a</section>`),
    "odd.html: .*is no name of a part",
  ],
  [
    "has nine parts",
    () =>
      write(
        "odd.html",
        [..."abcdefghi"]
          .map((name) => `<p data-tuppence-price="5¢" data-tuppence-part="${name}">${name}</p>`)
          .join(""),
      ),
    "odd.html: there are 9 paid parts",
  ],
  ["costs nothing", () => write("odd.html", page("odd", " 0¢")), "odd.html: the price is 0¢"],
  [
    "has a mark that is misspelt",
    () => write("odd.html", "<!-- Tuppence:paid --><p>a</p>"),
    "odd.html: .*is no mark",
  ],
  [
    "has a mark with words that mean nothing",
    () => write("odd.html", page("odd", " 5¢ colour=red")),
    "odd.html: a mark says “colour”",
  ],
  [
    "has a name without a price",
    () => write("odd.html", `<p data-tuppence-part="a">a</p>`),
    "odd.html: .*no data-tuppence-price",
  ],
  [
    "is marked where parsers see text",
    () => write("odd.html", "<noscript><!-- tuppence:paid --><p>a</p><!-- /tuppence:paid --></noscript>"),
    "odd.html: .*inside of <noscript>",
  ],
  [
    "is sealed already",
    () =>
      write("odd.html", `<section data-tuppence-price="5¢"><tuppence-paywall></tuppence-paywall></section>`),
    "odd.html: .*sealed already",
  ],
])("a file that %s is named, and nothing is written or lost", async (_what, make, words) => {
  await seal();
  const before = await readOut();
  await write("mill.html", page("mill", "", "Another text."));
  await make();
  await expect(seal()).rejects.toThrow(new RegExp(words));
  expect(await readOut()).toEqual(before);
});

test("a link to a file of the same folder is that file", async () => {
  await symlink("mill.html", join(folder, "site/same.html"));
  await seal();
  expect((await readOut())["same.html"]).toContain(`${BASE}/same.html`);
});

test("a page of the largest size is sealed", async () => {
  const picture = `<img alt="" src="data:image/png;base64,${"A".repeat(4 * 1_024 * 1_024 - 1_000)}">`;
  await write("long.html", page("long", "", `${picture}<p>A picture.</p>`));
  expect((await seal()).outcomes["long.html"]).toBe("sealed");
});

test("a folder of the published site that is a link does not have files written elsewhere", async () => {
  await mkdir(join(folder, "elsewhere"));
  await mkdir(join(folder, "public"));
  await symlink(join(folder, "elsewhere"), join(folder, "public/articles"));
  await write("articles/a.html", page("a"));
  await expect(seal()).rejects.toThrow(/link/);
  expect(await readdir(join(folder, "elsewhere"))).toEqual([]);
});

test("the key, and the file of the seals, are not published", async () => {
  await rename(join(folder, "key.json"), join(folder, "site/key.json"));
  await expect(seal({ key: join(folder, "site/key.json") })).rejects.toThrow(/--key must lie in neither/);
  await rename(join(folder, "site/key.json"), join(folder, "key.json"));
  await expect(seal({ state: join(folder, "public/seals.json") })).rejects.toThrow(
    /--state must lie in neither/,
  );
  await expect(seal({ out: join(folder, "site") })).rejects.toThrow(/--out must not be --site/);
  await expect(seal({ out: folder })).rejects.toThrow(/must not lie within --out|neither/);
});

test("a headline inside of a paid part is not given away as its title", async () => {
  await write(
    "mill.html",
    page("mill")
      .replace(/<h1>.*<\/h1>/, "")
      .replace("-->", "--><h1>Secret</h1>"),
  );
  await seal();
  const html = (await readOut())["mill.html"];
  expect(html).not.toContain("Secret");
  expect(html).toContain('"title":"mill"');
});

test("a paid text of one word is sealed, though the same word names what we put around it", async () => {
  await write("mill.html", page("mill", "", "Paid."));
  expect((await seal()).outcomes).toMatchObject({ "mill.html": "sealed" });
  expect((await readOut())["mill.html"]).toContain(".tuppence-paid");
});

test("markup in titles and teasers is text, everywhere", async () => {
  const evil = "</script><b>&amp;";
  await write("mill.html", page("mill", ` part=a title="${evil}" teaser="${evil}"`));
  await seal();
  const html = (await readOut())["mill.html"] ?? "";
  expect(html).toContain('<p class="tuppence-teaser">&lt;/script&gt;&lt;b&gt;&amp;amp;</p>');
  expect(html).toContain(`"title":"\\u003c/script>\\u003cb>&amp;"`);
  expect(html.replaceAll(/<!--.*?-->/g, ""), "but for the author's own comment").not.toContain(
    "</script><b>",
  );
});

test("a page with nothing to read gets its description as a teaser, and without one it is said", async () => {
  await write("mill.html", page("mill").replace("<p>Free words of the mill.</p>", ""));
  await write(
    "wheel.html",
    page("wheel")
      .replace("<p>Free words of the wheel.</p>", "")
      .replace(/<meta[^>]*>/, ""),
  );
  const { notes } = await seal();
  const out = await readOut();
  expect(out["mill.html"]).toContain(
    '<h1>mill</h1><!-- tuppence:paid --><p class="tuppence-teaser">About the mill.</p><tuppence-paywall',
  );
  expect(out["wheel.html"]).not.toContain("tuppence-teaser");
  expect(notes).toEqual([expect.stringMatching(/^wheel.html: nothing to read/)]);
});

test("without a provider to ask, a file with its words does, and nobody is asked", async () => {
  const answer = await request(`${PROVIDER}/.well-known/tuppence.json`);
  await writeFile(join(folder, "provider.json"), await answer.text());
  asked = [];
  const { outcomes, notes } = await seal({ offline: join(folder, "provider.json") });
  expect(outcomes["mill.html"]).toBe("sealed");
  expect(notes[0]).toMatch(/Nobody was asked/);
  expect(asked).toEqual([]);
  await expect(
    seal({ offline: join(folder, "provider.json"), provider: "http://127.0.0.1:4021" }),
  ).rejects.toThrow(/is of the provider/);
  await expect(seal({ offline: join(folder, "key.json") })).rejects.toThrow(/is not what/);
});

async function seal(options: Partial<Parameters<typeof sealFolder>[0]> = {}) {
  const all = {
    key: join(folder, "key.json"),
    merchant: "lantern",
    provider: PROVIDER,
    price: "5¢",
    baseUrl: BASE,
    site: join(folder, "site"),
    out: join(folder, "public"),
    snippet: join(folder, "snippet.js"),
    ...options,
  };
  const sealed = await sealFolder(all, { fetch: request, now: () => nowMs });
  return {
    ...sealed,
    outcomes: Object.fromEntries(sealed.pages.map(({ path, outcome }) => [path, outcome])),
  };
}

async function write(path: string, content: string | Buffer): Promise<void> {
  await mkdir(join(folder, "site", path, ".."), { recursive: true });
  await writeFile(join(folder, "site", path), content);
}

async function readOut(): Promise<Record<string, string>> {
  const out = join(folder, "public");
  const files = await readdir(out);
  return Object.fromEntries(
    await Promise.all(files.map(async (path) => [path, await readFile(join(out, path), "utf8")])),
  );
}

async function timesOf(): Promise<number[]> {
  const out = join(folder, "public");
  return Promise.all((await readdir(out)).sort().map(async (path) => (await stat(join(out, path))).mtimeMs));
}

const sealOf = (html = "") => /"seal":"([^"]*)"/.exec(html)?.[1];
const integrityOf = (html = "") => /integrity="([^"]*)"/.exec(html)?.[1] ?? "none";

async function makeKey(name: string): Promise<void> {
  await rm(join(folder, name), { force: true });
  const silent = () => undefined;
  await runSeal(["--make-key", "--key", join(folder, name)], {
    fetch: request,
    now: Date.now,
    print: silent,
    write: silent,
    note: silent,
  });
}

async function makeSealingKey(): Promise<string> {
  const pair = await crypto.subtle.generateKey("X25519", true, ["deriveBits"]);
  if (!("publicKey" in pair)) throw new Error("no key pair");
  return (await crypto.subtle.exportKey("jwk", pair.publicKey)).x ?? "";
}

const request: typeof fetch = async (input, init) => {
  const { pathname } = new URL(String(input));
  asked.push(pathname);
  if (pathname === "/.well-known/tuppence.json")
    return Response.json({
      name: "P",
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
  if (pathname === "/x402/verify") {
    const { seal: jws } = JSON.parse(String(init?.body)).paymentRequirements.extra;
    const { iat } = JSON.parse(Buffer.from(jws.split(".")[1], "base64url").toString());
    return Response.json({ isValid: false, invalidReason: judge(iat) });
  }
  return Response.json({ merchantRecord: `a.b.${asked.length}` });
};
