/** The paper's pages as HTML. No inline script or style, so that the strictest Content-Security-Policy fits. */
import { drawArt, LANTERN } from "./art.ts";
import { replacePaidPart, type Story } from "./stories.ts";

export interface PaperSettings {
  /** The provider's anonymous origin, and the paper's merchant id there: for the tip jar. */
  readonly provider: string;
  readonly merchantId: string;
  /** Where the back end hands out the stories that are not sealed. */
  readonly servedPath: (slug: string) => string;
}

export const WALLET_URL = "/about.html#wallet";
const TAGLINE = "Essays by lamplight, a few cents each";

export function frontPage(stories: readonly Story[]): string {
  const [lead, ...others] = stories;
  const cards = others.map((story) => card(story)).join("\n");
  return page(
    { title: "The Lantern", description: TAGLINE, root: "", current: "front" },
    `<main id="main" class="front">
${lead ? leadStory(lead) : ""}
${cards}
</main>`,
  );
}

export function articlePage(story: Story, others: readonly Story[], settings: PaperSettings): string {
  const served = `<tuppence-paywall src="${settings.servedPath(story.slug)}" wallet-url="${WALLET_URL}"></tuppence-paywall>`;
  const body = story.served ? replacePaidPart(story, served) : markPrice(story);
  return page(
    {
      title: `${story.title} – The Lantern`,
      description: story.standfirst,
      root: "../",
      current: "",
      loadsSnippet: true,
    },
    `<main id="main">
<article class="article">
<header>
<p class="section">${escapeHtml(story.section)}</p>
<h1>${escapeHtml(story.title)}</h1>
<p class="standfirst">${escapeHtml(story.standfirst)}</p>
<p class="meta">${story.minutes} minutes</p>
${drawArt(story.art)}
</header>
<div class="body">
${body}
</div>
</article>
<aside class="ending" aria-label="Tip jar">
<p>Did it keep you company? The Lantern lives on what its readers leave here.</p>
${tipJar(settings)}
</aside>
<section class="more" aria-label="More from The Lantern">
${others.map((other) => card(other, "", false)).join("\n")}
</section>
</main>`,
  );
}

export function aboutPage(settings: PaperSettings): string {
  return page(
    {
      title: "About – The Lantern",
      description: "What The Lantern is and how it is paid for.",
      root: "",
      current: "about",
      loadsSnippet: true,
    },
    `<main id="main" class="article prose">
<header><h1>About this paper</h1><p class="standfirst">A small paper with no advertisements, no subscription, and no idea who you are.</p></header>
<p>The Lantern prints essays about how things work and how they came to be. Each begins in the open, so that you can tell whether you like the company, and the rest costs a few cents. There is nothing to sign up for: whoever has read one piece owes nothing for the next.</p>
<p>It is also the demonstration of Tuppence, the prepaid wallet for very small payments, and was written for it. The stories are real ones; the prices are real too, but where the wallet’s provider runs as a sandbox, the money is play money.</p>
<h2>How paying works</h2>
<p>You keep a little money in a wallet in your browser’s toolbar, as coins that cannot be traced to you. “Read on” hands a few of them over, and the page opens where you stopped. Come back to it whenever you like: what you have bought stays open for you. If it was not worth it, the wallet gives you your money back, for a while, in one click.</p>
<p>We learn that somebody paid. We do not learn who, and neither does the company that issued the coins.</p>
<h2 id="wallet">How to get the wallet</h2>
<p>Tuppence is an extension for Chrome and Firefox. Whoever runs this demonstration has it built already: in Chrome, open the page of extensions, switch on the developer’s mode, choose “Load unpacked” and take the folder <code>dist/chrome</code>; in Firefox, open <code>about:debugging</code>, choose “Load Temporary Add-on” and take <code>dist/firefox/manifest.json</code>. Then make a wallet, top it up, and come back to the page that you were reading.</p>
<h2>What is under the lamp</h2>
<p>Most of the stories are plain files: the part that is paid for is encrypted inside the page, and the key comes with the payment. One, the walk down the Fleet, stands behind a small server which answers “402 Payment Required” to anyone who asks for it without paying, as that status code has been waiting to do since the nineties.</p>
<h2 id="tip">The tip jar</h2>
<div class="jar"><p>You choose how much, in your wallet.</p>
${tipJar(settings)}
</div>
</main>`,
  );
}

export function notFoundPage(): string {
  return page(
    { title: "Not found – The Lantern", description: "", root: "/", current: "" },
    `<main id="main" class="article prose"><header><h1>Nothing is lit here</h1><p class="standfirst">The page that you asked for does not exist. <a href="/">The front page</a> does.</p></header></main>`,
  );
}

function tipJar({ provider, merchantId }: PaperSettings): string {
  return `<tuppence-tip merchant="${escapeHtml(merchantId)}" provider="${escapeHtml(provider)}" amount="25¢" least="1¢" most="$5" currency="USD" label="Leave a tip" wallet-url="${WALLET_URL}"></tuppence-tip>`;
}

/** Each story has its own price, so it stands at the mark and not in the command. */
function markPrice(story: Story): string {
  return story.body.replace("<!-- tuppence:paid -->", `<!-- tuppence:paid ${story.price} -->`);
}

function leadStory(story: Story): string {
  return `<article class="story lead">
${drawArt(story.art)}
<div>${words(story, "articles/")}</div>
</article>`;
}

function card(story: Story, base = "articles/", withArt = true): string {
  return `<article class="story">
${withArt ? drawArt(story.art) : ""}<div>${words(story, base)}</div>
</article>`;
}

function words(story: Story, base: string): string {
  return `<p class="section">${escapeHtml(story.section)}</p>
<h2><a href="${base}${story.slug}.html">${escapeHtml(story.title)}</a></h2>
<p class="standfirst">${escapeHtml(story.standfirst)}</p>
<p class="meta">${story.minutes} minutes <span class="price">${escapeHtml(story.price)}</span></p>`;
}

interface Frame {
  readonly title: string;
  readonly description: string;
  /** The way back to the paper's front. */
  readonly root: string;
  readonly current: "front" | "about" | "";
  /** Pages without a sealed part include the snippet by themselves, for the tip jar or a served story. */
  readonly loadsSnippet?: boolean;
}

function page({ title, description, root, current, loadsSnippet }: Frame, main: string): string {
  const here = (name: Frame["current"]) => (name === current ? ' aria-current="page"' : "");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<meta name="description" content="${escapeHtml(description)}">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${root}lantern.svg" type="image/svg+xml">
<link rel="stylesheet" href="${root}lantern.css">
${loadsSnippet ? `<script type="module" src="${root}tuppence.js"></script>\n` : ""}</head>
<body>
<a class="skip" href="#main">Skip to the story</a>
<div class="sheet">
<header class="masthead${current === "front" ? "" : " small"}">
<div class="ear"><span>${TAGLINE}</span><span>No advertisements</span></div>
<p class="name"><a href="${root || "./"}">${LANTERN}The Lantern</a></p>
<nav aria-label="The paper"><a href="${root || "./"}"${here("front")}>Front page</a><a href="${root}about.html"${here("about")}>About</a><a href="${root}about.html#wallet">The wallet</a><a href="${root}about.html#tip">Tip jar</a></nav>
</header>
${main}
<footer class="foot"><p>The Lantern, a demonstration newspaper.</p><p>Read with <a href="${root}about.html">Tuppence</a>.</p></footer>
</div>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
