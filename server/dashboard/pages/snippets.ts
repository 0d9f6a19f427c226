/** The code that a site owner pastes, as text. What a person typed into a field is written as an attribute's value, never as markup. */
import { formatMoney, MICROS_PER_UNIT, type Micros, micros } from "../../../shared/money.ts";

export interface Look {
  /** CSS colours; undefined: the page's own. */
  readonly accent: string | undefined;
  readonly onAccent: string | undefined;
}

export interface TipTerms {
  readonly provider: string;
  readonly merchant: string;
  readonly amount: string;
  readonly currency: string;
  readonly label: string;
}

const SCRIPT_TAG = '<script type="module" src="/tuppence.js"></script>';

export function tipCode({ provider, merchant, amount, currency, label }: TipTerms): string {
  const attributes = [
    ["merchant", merchant],
    ["provider", provider],
    ["amount", amount],
    ...(currency === DEFAULT_CURRENCY ? [] : [["currency", currency]]),
    ...(label === DEFAULT_LABEL ? [] : [["label", label]]),
  ];
  const lines = attributes.map(([name, value = ""]) => `  ${name}="${escapeAttribute(value)}"`);
  return `<tuppence-tip\n${lines.join("\n")}\n></tuppence-tip>\n${SCRIPT_TAG}`;
}

export const DEFAULT_LABEL = "Leave a tip";
const DEFAULT_CURRENCY = "USD";

export function markedCode(price: string): string {
  return `<!-- tuppence:paid ${price} -->\n<p>What your readers pay for.</p>\n<!-- /tuppence:paid -->`;
}

export interface SealTerms {
  readonly provider: string;
  readonly merchant: string;
  /** As `priceWord` writes it. */
  readonly price: string;
  readonly site: string;
}

/** For a command line: what is typed into a field may mean something else to a shell, where `$1.50` is `.50`. */
export function priceWord(amount: Micros, currency: string): string {
  return withoutSymbol(formatMoney(amount, currency), currency);
}

/** `formatMoney` writes symbols of currencies; `parseMoney` reads those that a page may write. */
export function withoutSymbol(text: string, currency: string): string {
  const symbol = formatMoney(micros(MICROS_PER_UNIT), currency).replace(/[0-9].*$/, "");
  return text.trim().startsWith(symbol.trim()) ? text.trim().slice(symbol.trim().length).trim() : text.trim();
}

export function sealCommand({ provider, merchant, price, site }: SealTerms): string {
  return [
    "npx tuppence seal --key merchant-key.json",
    `--merchant ${merchant} --provider ${provider}`,
    `--price ${price} --base-url ${site}`,
    "--site site --out public",
  ].join(" \\\n  ");
}

export function backEndCode(): string {
  return `<tuppence-paywall src="/api/articles/one"></tuppence-paywall>\n${SCRIPT_TAG}`;
}

/** Undefined where nothing was chosen: then the page's own colours are taken. */
export function styleCode(element: "tuppence-tip" | "tuppence-paywall", look: Look): string | undefined {
  const lines = Object.entries(lookVariables(look)).map(([name, value]) => `  ${name}: ${value};`);
  return lines.length === 0 ? undefined : `${element} {\n${lines.join("\n")}\n}`;
}

export function lookVariables({ accent, onAccent }: Look): Readonly<Record<string, string>> {
  return {
    ...(accent === undefined ? {} : { "--tuppence-accent": accent }),
    ...(onAccent === undefined ? {} : { "--tuppence-on-accent": onAccent }),
  };
}

function escapeAttribute(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll('"', "&quot;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
