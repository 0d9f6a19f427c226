/** What both attacks on real browsers play: each of two readers buys an article, and the second comes back and buys one more. */
import type { MerchantSite } from "../support/merchant.ts";
import { backupUnheardOf, withdrawsAskedAnonymously } from "../support/mutated-extension.ts";
import type { PaymentSeen } from "./evidence.ts";

/** What each of the two buys. What all who buy an article are told would join them, and leave the attacker in doubt. */
export const ARTICLES = ["/a.html", "/b.html"];
/** Bought after the way back. */
export const LATER = "/c.html";
/** Micros of five dollars, after one of them. */
export const LEFT = 4_950_000n;

/** Answers the pages. */
export async function publishArticles(site: MerchantSite): Promise<string[]> {
  const article = { title: "An article", paid: "<p>The paid part.</p>", price: "5¢" };
  const published: string[] = [];
  for (const path of [...ARTICLES, LATER]) published.push((await site.publishArticle(path, article)).html);
  return published;
}

/** Of wallets that come back, and what is proved of the three payments: of the first reader's, and of two of the second's. */
export const WAYS_BACK = [
  { what: "nothing is proved either", mistakes: [backupUnheardOf], proofs: {} },
  {
    what: "but with withdraws asked about at the anonymous origin the connection gives away who came back",
    mistakes: [backupUnheardOf, withdrawsAskedAnonymously],
    proofs: { "a connection that carries both": [null, 1, 1] },
  },
] as const;

/** What a payment tells of its reader that browsers add by themselves, and the wallet has to take away. */
export function marksLeftOn({ settled }: PaymentSeen): string[] {
  const headers = settled.headers.map(([name, value]) => [name.toLowerCase(), value] as const);
  const marks = headers.filter(([name]) => ["origin", "cookie", "referer", "authorization"].includes(name));
  const languages = headers.filter(([name]) => name === "accept-language").map(([, value]) => value);
  return [
    ...marks.map(([name, value]) => `${name}: ${value}`),
    ...(languages.join() === "en" ? [] : [`languages: ${languages.join()}`]),
  ];
}
