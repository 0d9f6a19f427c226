/** What of a page matters here, as the server sent it: no script has run. */
import { parse, type DefaultTreeAdapterTypes as Tree } from "parse5";
import { allNodes } from "../marked.ts";

export interface PageScript {
  readonly src: string;
  readonly integrity: string | undefined;
  readonly nonce: string | undefined;
}
export interface PageLink {
  readonly href: string;
  readonly rel: readonly string[];
  readonly type: string;
  readonly media: string | undefined;
}
export interface PageFrame {
  readonly src: string;
  readonly sandbox: string | undefined;
}
export interface PageWall {
  readonly src: string | undefined;
  /** The text of the script of JSON in it. */
  readonly data: string | undefined;
  readonly walletUrl: string | undefined;
}
export interface Page {
  readonly walls: readonly PageWall[];
  readonly hasTip: boolean;
  readonly scripts: readonly PageScript[];
  readonly links: readonly PageLink[];
  readonly frames: readonly PageFrame[];
  readonly structuredData: readonly string[];
  /** What it says to search engines. */
  readonly robots: readonly string[];
  /** Of `<meta http-equiv>`. */
  readonly policies: readonly string[];
}

const DATA_TYPE = "application/tuppence+json";

/** @param address of the page, for addresses that are relative */
export function readPage(html: string, address: string): Page {
  const elements = [...allNodes(parse(html))].filter((node) => "attrs" in node);
  const named = (...names: string[]) => elements.filter(({ tagName }) => names.includes(tagName));
  const base = resolve(attribute(named("base")[0], "href") ?? "", address) ?? address;
  const addressOf = (element: Tree.Element, name: string) => {
    const value = attribute(element, name);
    return value === undefined ? undefined : resolve(value, base);
  };
  const scripts = named("script");
  return {
    walls: named("tuppence-paywall").map((wall) => ({
      src: addressOf(wall, "src"),
      data: [...allNodes(wall)].flatMap((node) =>
        "attrs" in node && node.tagName === "script" && attribute(node, "type") === DATA_TYPE
          ? [textOf(node)]
          : [],
      )[0],
      walletUrl: attribute(wall, "wallet-url"),
    })),
    hasTip:
      named("tuppence-tip").length > 0 ||
      named("link").some((link) =>
        /\b(monetization|facilitated-payment)\b/.test(attribute(link, "rel") ?? ""),
      ),
    scripts: scripts.flatMap((script) => {
      const src = addressOf(script, "src");
      return src === undefined
        ? []
        : [{ src, integrity: attribute(script, "integrity"), nonce: attribute(script, "nonce") }];
    }),
    links: named("link").flatMap((link) => {
      const href = addressOf(link, "href");
      const rel = (attribute(link, "rel") ?? "").toLowerCase().split(/\s+/);
      const type = (attribute(link, "type") ?? "").toLowerCase();
      return href === undefined ? [] : [{ href, rel, type, media: attribute(link, "media") }];
    }),
    frames: named("iframe").flatMap((frame) => {
      const src = addressOf(frame, "src");
      return src === undefined ? [] : [{ src, sandbox: attribute(frame, "sandbox") }];
    }),
    structuredData: scripts
      .filter((script) => attribute(script, "type")?.toLowerCase() === "application/ld+json")
      .map(textOf),
    robots: named("meta")
      .filter((meta) => /^(robots|googlebot)$/i.test(attribute(meta, "name") ?? ""))
      .map((meta) => attribute(meta, "content") ?? ""),
    policies: named("meta")
      .filter((meta) => attribute(meta, "http-equiv")?.toLowerCase() === "content-security-policy")
      .map((meta) => attribute(meta, "content") ?? ""),
  };
}

function attribute(element: Tree.Element | undefined, name: string): string | undefined {
  return element?.attrs.find((attr) => attr.name === name)?.value;
}

function resolve(value: string, base: string): string | undefined {
  return URL.canParse(value, base) ? new URL(value, base).href : undefined;
}

function textOf(element: Tree.Element): string {
  return element.childNodes.map((node) => ("value" in node ? node.value : "")).join("");
}
