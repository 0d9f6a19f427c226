/** The pages of the sandbox's checkout: HTML made here, one style sheet, nothing else. */
import { ERRORS, type ErrorCode } from "../../shared/errors.ts";
import { formatBalance } from "../../shared/money.ts";
import type { Config, Mode } from "../config.ts";
import type { TopUp } from "../topups/index.ts";

export type CheckoutTerms = Pick<Config, "name" | "currency" | "mode">;

export function checkoutPage({ name, currency, mode }: CheckoutTerms, topUp: TopUp): string {
  const amount = formatBalance(topUp.amount, currency);
  return layout(
    mode,
    `Top up ${amount}`,
    `<p class="to">Top up your wallet at <strong>${escapeHtml(name)}</strong></p>
<h1><span class="label">Amount</span> ${escapeHtml(amount)}</h1>
<dl>
<div><dt>Paid with</dt><dd>Play card •••• 4242</dd></div>
<div><dt>Fee</dt><dd>${escapeHtml(formatBalance(topUp.amount, currency).replace(/[0-9][0-9.]*/, "0.00"))}</dd></div>
<div><dt>Reference</dt><dd><code>${topUp.id.slice(0, 8)}</code></dd></div>
</dl>
<form method="post">
<button class="primary" name="decision" value="approve">Approve ${escapeHtml(amount)}</button>
<div class="row">
<button name="decision" value="decline">Decline</button>
<button name="decision" value="abandon">Leave</button>
</div>
</form>`,
  );
}

const RESULTS: Readonly<
  Record<TopUp["state"], { readonly mark: string; readonly title: string; readonly text: string }>
> = {
  open: { mark: "…", title: "Still open", text: "Nothing was decided yet." },
  paid: { mark: "✓", title: "Paid", text: "The money is in your wallet." },
  declined: {
    mark: "✕",
    title: "Declined",
    text: "Nothing was charged, and nothing was added to your wallet.",
  },
  abandoned: {
    mark: "←",
    title: "Left",
    text: "Nothing was charged. You can start again from your wallet at any time.",
  },
  charged_back: { mark: "↩", title: "Charged back", text: "This payment was taken back." },
};

export function resultPage({ currency, mode }: CheckoutTerms, topUp: TopUp): string {
  const { mark, title, text } = RESULTS[topUp.state];
  const amount = formatBalance(topUp.amount, currency);
  return layout(
    mode,
    title,
    `<p class="mark ${topUp.state === "paid" ? "good" : "calm"}" aria-hidden="true">${mark}</p>
<h1 class="result">${title}</h1>
<p class="amount">${escapeHtml(amount)}</p>
<p>${text}</p>
<p class="after">Go back to your wallet. You can close this tab.</p>`,
  );
}

export function refusedPage({ mode }: CheckoutTerms, code: ErrorCode): string {
  const { title, safe, next } = ERRORS[code];
  return layout(
    mode,
    "Not possible",
    `<p class="mark calm" aria-hidden="true">!</p>
<h1 class="result">Not possible</h1>
<p>${escapeHtml(`${title} ${safe} ${next}`)}</p>
<p class="after">Go back to your wallet. You can close this tab.</p>`,
  );
}

export function missingPage({ name, mode }: CheckoutTerms): string {
  return layout(
    mode,
    "No such top-up",
    `<p class="mark calm" aria-hidden="true">?</p>
<h1 class="result">No such top-up</h1>
<p>${escapeHtml(name)} has no top-up at this address. Start one from your wallet.</p>`,
  );
}

const BANNERS: Readonly<Record<Mode, string>> = {
  live: "<strong>Play money</strong> <span>no card is charged</span>",
  test: "<strong>Test mode</strong> <span>play money: no card is charged</span>",
};

function layout(mode: Mode, title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} · ${mode === "test" ? "Test mode" : "Play money"}</title>
<style>${CHECKOUT_STYLE}</style>
</head>
<body>
<div class="banner" role="note">${BANNERS[mode]}</div>
<main>
<article>
${body}
</article>
<p class="foot">The sandbox gateway stands in for a card, PayPal or phone bill while you try Tuppence.</p>
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

export const CHECKOUT_STYLE = `
:root { color-scheme: light dark; --ground: #f4f2ee; --card: #fffefb; --ink: #1f2328; --quiet: #62686f; --line: #e2ded6; --accent: #1d5c4d; --accent-hover: #17493e; --on-accent: #fff; --good: #1d5c4d; --good-ground: #dcebe4; --banner: #ffd84d; --on-banner: #2b2300; --stripe: #f4c626; --focus: #2f6fdb; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171a; --card: #1d2125; --ink: #eceae5; --quiet: #a0a6ac; --line: #33393f; --accent: #6fc6ab; --accent-hover: #8ad5bd; --on-accent: #0c211b; --good: #86d8bf; --good-ground: #1c3a31; --banner: #e0b414; --on-banner: #1d1700; --stripe: #cfa40c; --focus: #8ab4ff; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.banner { padding: 14px 20px; text-align: center; color: var(--on-banner); background: repeating-linear-gradient(-45deg, var(--banner) 0 18px, var(--stripe) 18px 36px); }
.banner strong { text-transform: uppercase; letter-spacing: .08em; }
.banner span::before { content: "— "; }
main { flex: 1; display: flex; flex-direction: column; align-items: center; justify-content: center; padding: 32px 16px; gap: 20px; }
article { width: 100%; max-width: 400px; padding: 32px; background: var(--card); border: 1px solid var(--line); border-radius: 18px; box-shadow: 0 1px 2px rgb(0 0 0 / .05), 0 12px 32px rgb(0 0 0 / .07); }
h1 { margin: 4px 0 24px; font-size: 46px; line-height: 1.15; font-weight: 650; letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
h1 .label { display: block; font-size: 14px; font-weight: 500; letter-spacing: 0; color: var(--quiet); }
h1.result { font-size: 30px; margin: 0 0 4px; }
p { margin: 0 0 12px; }
.to { color: var(--quiet); margin-bottom: 20px; } .to strong { color: var(--ink); font-weight: 600; }
dl { margin: 0 0 28px; border-top: 1px solid var(--line); }
dl div { display: flex; justify-content: space-between; gap: 16px; padding: 11px 0; border-bottom: 1px solid var(--line); }
dt { color: var(--quiet); } dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
code { font: 14px ui-monospace, "SF Mono", Menlo, monospace; }
form { display: grid; gap: 10px; margin: 0; }
.row { display: grid; grid-template-columns: 1fr 1fr; gap: 10px; }
button { min-height: 46px; padding: 0 16px; font: inherit; font-weight: 550; color: var(--ink); background: transparent; border: 1px solid var(--line); border-radius: 12px; cursor: pointer; }
button:hover { border-color: var(--quiet); }
button.primary { min-height: 52px; color: var(--on-accent); background: var(--accent); border-color: transparent; font-weight: 650; }
button.primary:hover { background: var(--accent-hover); }
button:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.mark { width: 60px; height: 60px; margin: 0 0 18px; display: grid; place-items: center; border-radius: 50%; font-size: 28px; font-weight: 600; }
.mark.good { color: var(--good); background: var(--good-ground); } .mark.calm { color: var(--quiet); background: var(--ground); }
.amount { font-size: 20px; font-variant-numeric: tabular-nums; color: var(--quiet); }
.after { margin: 20px 0 0; padding-top: 18px; border-top: 1px solid var(--line); font-weight: 550; }
.foot { max-width: 400px; margin: 0; text-align: center; font-size: 13px; color: var(--quiet); }
`;
