import { expect, test } from "vitest";
import { readPage } from "./page.ts";
import { describePaid } from "./structured-data.ts";

const PART = { "@type": "WebPageElement", isAccessibleForFree: false, cssSelector: ".tuppence-paid" };
const ABOUT = { headline: "Mills", description: "A walk.", url: "https://lantern.example/mills.html" };

function described(head: string, selectors = [".tuppence-paid"]): { html: string; data: unknown[] } {
  const html = `<!doctype html><html><head><title>Mills</title>${head}</head><body><!-- tuppence:paid --><p>Paid.</p><!-- /tuppence:paid --></body></html>`;
  const page = readPage(html);
  if (!page) throw new Error("nothing is marked");
  const { start, end, text } = describePaid(page, ABOUT, selectors);
  const edited = html.slice(0, start) + text + html.slice(end);
  const scripts = [...edited.matchAll(/<script type="application\/ld\+json">(.*?)<\/script>/gs)];
  return { html: edited, data: scripts.flatMap(([, json = ""]) => readJson(json)) };
}
function readJson(text: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}
const script = (data: unknown) =>
  `<script type="application/ld+json">${typeof data === "string" ? data : JSON.stringify(data)}</script>`;

test("a page that describes nothing gets an article that is not free", () => {
  expect(described("").data).toEqual([
    {
      "@context": "https://schema.org",
      "@type": "Article",
      ...ABOUT,
      isAccessibleForFree: false,
      hasPart: PART,
    },
  ]);
});

test("several parts are told apart by their classes", () => {
  const [data] = described("", [".tuppence-paid-a", ".tuppence-paid-b"]).data;
  expect(data).toMatchObject({
    "@type": "WebPage",
    hasPart: [{ cssSelector: ".tuppence-paid-a" }, { cssSelector: ".tuppence-paid-b" }],
  });
});

test("an article that is there is added to and not repeated, and keeps what it says", () => {
  const article = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    headline: "M",
    isAccessibleForFree: "True",
    hasPart: { "@type": "WebPageElement", cssSelector: ".video" },
  };
  expect(described(script(article)).data).toEqual([
    { ...article, isAccessibleForFree: false, hasPart: [article.hasPart, PART] },
  ]);
});

test("an article in a graph, in a list or of several types is found, and before the page around it", () => {
  const graph = { "@graph": [{ "@type": "WebPage" }, { "@type": ["Thing", "BlogPosting"], headline: "M" }] };
  expect(described(script(graph)).data).toEqual([
    {
      "@graph": [
        { "@type": "WebPage" },
        { ...graph["@graph"][1], isAccessibleForFree: false, hasPart: PART },
      ],
    },
  ]);
  expect(
    described(script([{ "@type": "Organization" }, { "@type": "https://schema.org/Article" }])).data,
  ).toMatchObject([[{ "@type": "Organization" }, { isAccessibleForFree: false }]]);
});

test("what was added before is not added again", () => {
  const once = described("").data[0];
  expect(described(script(once)).data).toEqual([once]);
});

test("data about something else, and data that is none, stay as they are, and an article is added", () => {
  const organization = { "@type": "Organization", name: "The Lantern" };
  expect(described(script(organization)).data).toEqual([
    organization,
    expect.objectContaining({ "@type": "Article" }),
  ]);
  const { html } = described(
    `${script(organization)}<script type="application/ld+json">{"@type": "Article",}</script>`,
  );
  expect(html).toContain(`{"@type": "Article",}`);
  expect(html).toContain('"isAccessibleForFree":false');
});

test("a text in it does not end the script", () => {
  const { html, data } = described(
    script({ "@type": "Article", headline: "\u003c/script>" }).replace('</script>"', '\\u003c/script>"'),
  );
  expect(html.match(/<\/script>/g)).toHaveLength(1);
  expect(data).toMatchObject([{ headline: "</script>" }]);
});
