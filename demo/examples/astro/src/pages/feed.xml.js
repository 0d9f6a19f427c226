/** The whole text with its marks: sealing cuts out what is paid, and leaves a link to the page. */
import { nights } from "../nights.js";

export async function GET({ site }) {
  const items = await Promise.all(nights.map((night) => item(night, site)));
  return new Response(`<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0">
  <channel>
    <title>The Night Baker</title>
    <link>${site}</link>
    <description>What goes on in a bakery between midnight and five.</description>
    ${items.join("\n    ")}
  </channel>
</rss>
`);
}

async function item({ frontmatter: { title, date }, url, compiledContent }, site) {
  const address = new URL(`${url}/`, site);
  return `<item>
      <title>${title}</title>
      <link>${address}</link>
      <guid>${address}</guid>
      <pubDate>${new Date(date).toUTCString()}</pubDate>
      <description><![CDATA[${await compiledContent()}]]></description>
    </item>`;
}
