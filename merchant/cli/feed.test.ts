import { expect, test } from "vitest";
import { cutFeed } from "./feed.ts";

const PAID = "The wheel turns twice a day.";
const MARKED = `<p>Free.</p><!-- tuppence:paid --><p>${PAID}</p><!-- /tuppence:paid --><p>After.</p>`;
const terms = { priceOf: ({ price = "5¢" }: { readonly price: string | undefined }) => price };

const escaped = (html: string) =>
  html.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const rss = (content: string) =>
  `<?xml version="1.0"?>\n<rss version="2.0"><channel><title>The Lantern</title><link>https://lantern.example/</link>
<item><title>Mills &amp; men</title><link>https://lantern.example/mills.html</link>${content}</item></channel></rss>\n`;
const MORE = `<p class="tuppence-more"><a href="https://lantern.example/mills.html">Read on for 5¢</a></p>`;
const CUT = `<p>Free.</p><!-- tuppence:paid -->${MORE}<!-- /tuppence:paid --><p>After.</p>`;

test("escaped HTML in RSS keeps what is free, and links to the page in place of what is paid", () => {
  const cut = cutFeed(rss(`<description>${escaped(MARKED)}</description>`), terms);
  expect(cut).toBe(rss(`<description>${escaped(CUT).replaceAll('"', "&quot;")}</description>`));
});

test("HTML in CDATA is cut, and cannot end its section early", () => {
  const html = MARKED.replace("After.", "a]]]]><![CDATA[>b");
  const cut = cutFeed(rss(`<content:encoded><![CDATA[${html}]]></content:encoded>`), terms);
  expect(cut).toBe(
    rss(`<content:encoded><![CDATA[${CUT.replace("After.", "a]]]]><![CDATA[>b")}]]></content:encoded>`),
  );
});

test("HTML that is divided over text and CDATA is cut as one", () => {
  const cut = cutFeed(
    rss(
      `<description>${escaped("<!-- tuppence:")}<![CDATA[paid -->${PAID}]]>${escaped("<!-- /tuppence:paid -->")}</description>`,
    ),
    terms,
  );
  expect(cut).not.toContain(PAID);
  expect(cut).toContain("Read on for 5¢");
});

const atom = (content: string) =>
  `<feed xmlns="http://www.w3.org/2005/Atom"><id>https://lantern.example/</id><entry><link rel="edit" href="https://lantern.example/edit"/><link href="https://lantern.example/mills.html"/>${content}</entry></feed>`;

test("XHTML in Atom is cut as markup, its empty elements included, and keeps its prefix", () => {
  const xhtml = `<content type="xhtml"><x:div xmlns:x="http://www.w3.org/1999/xhtml"><x:p>Free.</x:p><!-- tuppence:paid 7¢ part=wheel --><x:a id="w"/><x:p>${PAID}</x:p><!-- /tuppence:paid --></x:div></content>`;
  const cut = cutFeed(atom(xhtml), terms);
  expect(cut).toContain(
    `<x:p>Free.</x:p><!-- tuppence:paid 7¢ part=wheel --><x:p class="tuppence-more"><x:a href="https://lantern.example/mills.html#wheel">Read on for 7¢</x:a></x:p><!-- /tuppence:paid --></x:div>`,
  );
});

test("an element that is marked keeps its tags, whether it is markup or text", () => {
  const section = `<section data-tuppence-price="2¢" data-tuppence-teaser="A &quot;walk&quot;."><p>${PAID}</p><section>More.</section></section>`;
  const teaser = `<p class="tuppence-teaser">A &quot;walk&quot;.</p><p class="tuppence-more"><a href="https://lantern.example/mills.html">Read on for 2¢</a></p></section>`;
  for (const content of [
    cutFeed(atom(`<content type="xhtml"><div>${section}</div></content>`), terms),
    cutFeed(atom(`<content type="html"><![CDATA[${section}]]></content>`), terms),
  ]) {
    expect(content).not.toContain(PAID);
    expect(content).toContain(teaser);
  }
});

test("a JSON feed is cut item by item, keeps its form, and links to each item's own page", () => {
  const feed = (html: string) =>
    `${JSON.stringify(
      {
        version: "https://jsonfeed.org/version/1.1",
        items: [
          { content_html: html, url: "https://lantern.example/mills.html" },
          { content_html: "<p>Free.</p>", url: "https://lantern.example/free.html" },
        ],
      },
      undefined,
      2,
    )}\n`;
  expect(cutFeed(feed(MARKED), terms)).toBe(feed(CUT));
});

test("what was cut before stays as it is", () => {
  for (const feed of [
    rss(`<description>${escaped(MARKED)}</description>`),
    atom(`<content type="xhtml"><div>${MARKED}</div></content>`),
  ]) {
    const once = cutFeed(feed, terms);
    expect(once).not.toBe(feed);
    expect(cutFeed(once, terms)).toBe(once);
  }
});

test("a link that is no address of the web is none, and markup in an address stays in it", () => {
  const link = (address: string) =>
    cutFeed(
      `<rss><item><link>${address}</link><description>${escaped(MARKED)}</description></item></rss>`,
      terms,
    );
  expect(link("javascript:alert(1)")).not.toContain("href");
  expect(link("https://a.example/?a=&quot;&gt;&lt;b&gt;")).not.toContain("<b>");
});

test.each([
  [
    "an end that is missing",
    rss(`<description>${escaped("<!-- tuppence:paid --><p>Cut off")}</description>`),
    "do not match|has no",
  ],
  [
    "an end in another element",
    atom(`<content type="xhtml"><div><!-- tuppence:paid --><p>a<!-- /tuppence:paid --></p></div></content>`),
    "same element",
  ],
  ["elements that do not match", rss(`<description>${escaped(MARKED)}</p>`), "not well-formed"],
  ["a tag that is not closed", `<rss>${escaped(MARKED)}<item`, "not well-formed"],
  ["JSON that is none", `{"content_html": "<!-- tuppence:paid -->"`, "no JSON"],
])("a feed with %s is refused, and not published by halves", (_what, feed, words) => {
  expect(() => cutFeed(feed, terms)).toThrow(new RegExp(words));
});
