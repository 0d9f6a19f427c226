/** All that the doctor can find. The codes are part of its output: they stay as they are, and `docs/DOCTOR.md` lists each. */

export type Severity = "error" | "warning" | "note";

interface Kind {
  readonly severity: Severity;
  readonly what: string;
  readonly todo: string;
}

export const FINDINGS = {
  // The page, and what of it a reader gets.
  "page-redirected": {
    severity: "note",
    what: "The address leads to another one.",
    todo: "Link and seal the address where it ends.",
  },
  "page-not-secure": {
    severity: "error",
    what: "The page comes without TLS, so that browsers keep from it what it needs to open anything.",
    todo: "Serve it by https, and lead http there.",
  },
  "page-too-large": {
    severity: "warning",
    what: "The page is so large that only its beginning was looked at.",
    todo: "Make it smaller: put pictures and data into files of their own.",
  },
  "page-sandboxed": {
    severity: "error",
    what: "The Content-Security-Policy puts the page into a sandbox, where it has no origin. No wallet pays there.",
    todo: "Take `sandbox` out of the policy, or add `allow-scripts allow-same-origin`.",
  },
  "mixed-content": {
    severity: "error",
    what: "A page that came by https names something without TLS. Browsers refuse to load it.",
    todo: "Write the address with https, or without its scheme.",
  },
  "paywall-missing": {
    severity: "error",
    what: "There is no paywall in the page.",
    todo: "Put a <tuppence-paywall> into the page as the server sends it, or seal the page. What a script adds later is not seen here.",
  },
  "paywall-unreadable": {
    severity: "error",
    what: "A <tuppence-paywall> holds neither a sealed article nor a `src` that can be read.",
    todo: "Seal the page again, and publish what `seal` wrote without changing it.",
  },
  "wallet-link-missing": {
    severity: "note",
    what: "A reader without the wallet is not told where to get it.",
    todo: "Give the element a `wallet-url` (`seal --wallet-url`).",
  },
  // The snippet.
  "snippet-missing": {
    severity: "error",
    what: "No script of the page makes the paywall work.",
    todo: 'Include the snippet: <script type="module" src="/tuppence.js"></script>.',
  },
  "snippet-unreachable": {
    severity: "error",
    what: "The snippet is named in the page, and does not come as a script.",
    todo: "Publish tuppence.js at that address, as text/javascript.",
  },
  "snippet-changed": {
    severity: "error",
    what: "The snippet is not the file that the page's `integrity` names, so browsers refuse it.",
    todo: "Publish page and snippet of the same `seal`, and let nothing on the way change the file.",
  },
  "snippet-other-build": {
    severity: "warning",
    what: "The snippet is not the one that this checkout builds.",
    todo: "Build (`npm run build -- --only merchant`), and publish dist/merchant/tuppence.js. Or look who changed it.",
  },
  "snippet-elsewhere": {
    severity: "warning",
    what: "The snippet comes from another origin, which learns who reads what, and can change it.",
    todo: "Host the file yourself.",
  },
  // What the browser forbids.
  "csp-blocks-snippet": {
    severity: "error",
    what: "The Content-Security-Policy keeps the snippet from running.",
    todo: "Allow it: script-src 'self'.",
  },
  "csp-blocks-served": {
    severity: "error",
    what: "The Content-Security-Policy keeps the snippet from asking for the article.",
    todo: "Allow it: connect-src 'self'.",
  },
  "csp-blocks-text": {
    severity: "error",
    what: "The page requires Trusted Types and does not allow the snippet's policy, so that a paid text cannot be shown.",
    todo: "Allow it: trusted-types tuppence.",
  },
  "frame-sandboxed": {
    severity: "error",
    what: "The paywall is in a sandboxed frame, which has no origin. No wallet pays there.",
    todo: 'Give the frame sandbox="allow-scripts allow-same-origin", or none.',
  },
  "frame-not-listed": {
    severity: "error",
    what: "The paywall is in a frame of a site that the merchant does not list. No wallet pays there.",
    todo: "Put the paywall into the page itself, or have the site registered: `--frame-parent`.",
  },
  "frame-refused": {
    severity: "error",
    what: "The paywall's page forbids to be framed where it is meant to be framed.",
    todo: "Name the framing site in `frame-ancestors`, and send no X-Frame-Options.",
  },
  // The offer.
  "served-unreachable": {
    severity: "error",
    what: "The address of the article answers neither with an offer (402) nor with the article.",
    todo: "Look at the back end: without payment the address has to answer 402 with PAYMENT-REQUIRED.",
  },
  "served-free": {
    severity: "error",
    what: "The address of the article hands it out to whoever asks.",
    todo: "Put the payment's middleware before this address.",
  },
  "offer-unreadable": {
    severity: "error",
    what: "The offer is none that a Tuppence wallet can read.",
    todo: "Let `seal` write it, or the x402 middleware with TuppenceScheme.",
  },
  "offer-not-payable": {
    severity: "error",
    what: "No wallet can pay this price.",
    todo: "A price is a multiple of a tenth of a cent, at most the provider's largest payment, in the provider's currency.",
  },
  "resource-elsewhere": {
    severity: "error",
    what: "What is offered is on another origin than the page. Wallets refuse it.",
    todo: "Seal for the address at which the page stands (`--base-url`). Behind a proxy, give the route its `resource`.",
  },
  "resource-differs": {
    severity: "warning",
    what: "What is offered is another address than this one: what was bought there and here are two articles to the wallet.",
    todo: "Let each article have one address: lead the others there, or name it in <link rel=canonical>.",
  },
  "provider-unreachable": {
    severity: "error",
    what: "The offer's provider does not answer as one.",
    todo: "Write the provider's anonymous origin into the offer, letter by letter, and look whether it runs.",
  },
  "provider-private": {
    severity: "error",
    what: "The offer names a provider that only your own network can reach.",
    todo: "Seal again with the provider's public address (`--provider`).",
  },
  "provider-in-test-mode": {
    severity: "warning",
    what: "The offer names a provider in test mode: readers pay with play money.",
    todo: "For real money, paste and seal anew with what the live dashboard shows.",
  },
  "merchant-unknown": {
    severity: "error",
    what: "The provider does not know the merchant of the offer.",
    todo: "Register first, or correct the id (`--merchant`).",
  },
  "origin-not-registered": {
    severity: "error",
    what: "The page's origin is none of the merchant's. Wallets refuse to pay here.",
    todo: "Have the operator add it (`merchant -- add --id … --origin …`). A page that carries an older record has to be sealed again.",
  },
  "record-invalid": {
    severity: "error",
    what: "The merchant's record in the offer is not the provider's word. Wallets refuse the offer.",
    todo: "Seal again, or leave the record out: wallets then ask for it.",
  },
  "record-expired": {
    severity: "note",
    what: "The merchant's record in the offer has expired, so that each wallet has to ask for it before it pays.",
    todo: "Seal once a day if the moment matters to you.",
  },
  "seal-missing": {
    severity: "error",
    what: "The offer of a sealed article has no seal. Whoever pays gets no key.",
    todo: "Seal the page again.",
  },
  "seal-mismatch": {
    severity: "error",
    what: "The seal says other terms than the offer around it. The provider refuses such a payment.",
    todo: "Seal the page again, and change nothing in what it wrote. A price is changed by sealing.",
  },
  "seal-refused": {
    severity: "error",
    what: "The provider refuses the seal.",
    todo: "Register the key that signs your seals, and seal again with it.",
  },
  // What is not checked at the door.
  "payment-not-checked": {
    severity: "error",
    what: "Something that only looks like a payment opens the article.",
    todo: "Hand out nothing before the provider's /x402/settle has answered `success`.",
  },
  "price-not-bound": {
    severity: "error",
    what: "A payment of a tenth of a cent opens the article.",
    todo: "Compare the payment's `accepted` with your own terms, and send those to the provider as `paymentRequirements`, never what came with the payment.",
  },
  "payment-not-taken": {
    severity: "error",
    what: "A genuine payment of the full price does not open the article.",
    todo: "Look at the back end's log. The money comes back to the wallet by itself if the site did not settle.",
  },
  "article-unreadable": {
    severity: "error",
    what: "What was paid for cannot be decrypted.",
    todo: "Seal the page again, and let nothing on the way change it.",
  },
  "receipt-not-verified": {
    severity: "error",
    what: "A receipt that the provider did not sign opens the article.",
    todo: "Verify receipts with createReceiptVerifier, or by the provider's published keys.",
  },
  "receipt-other-article": {
    severity: "error",
    what: "The receipt of one article opens another one.",
    todo: "Compare the receipt's `resource` with the address that is asked for: `verify(header, { resource, … })`.",
  },
  "receipt-too-small": {
    severity: "error",
    what: "A receipt for a tenth of a cent opens the article. Anyone can get one for any address.",
    todo: "Name the `leastAmount` when you verify.",
  },
  "receipt-not-held": {
    severity: "error",
    what: "A receipt opens the article for who does not prove to be the one who paid: one copy opens it for everyone.",
    todo: "Verify the holder's proof that stands behind the receipt: createReceiptVerifier does.",
  },
  "receipt-proof-expired": {
    severity: "error",
    what: "An old proof of the holder opens the article: what was copied once opens it for ever.",
    todo: "Refuse a proof whose challenge is older than five minutes: createReceiptVerifier does.",
  },
  "receipt-not-accepted": {
    severity: "error",
    what: "Who has paid and comes back with the receipt is asked to pay again.",
    todo: "Register letReturnIn(createReceiptVerifier(…)), and give a route behind a proxy its `resource`.",
  },
  // What caches keep.
  "page-kept-long": {
    severity: "warning",
    what: "Caches may keep the page with its paywall for more than a day: new prices, seals and records reach readers late.",
    todo: "Send Cache-Control: no-cache, or a max-age of at most a day.",
  },
  "offer-cacheable": {
    severity: "error",
    what: "Shared caches may keep the 402, and who has paid would get it, too.",
    todo: "Send Cache-Control: no-store with it.",
  },
  "paid-answer-cacheable": {
    severity: "error",
    what: "Shared caches may keep the paid answer, and would hand it to everyone.",
    todo: "Send Cache-Control: private, no-store with it.",
  },
  "paid-answer-unmarked": {
    severity: "warning",
    what: "The paid answer does not say whether it may be kept. Caches guess, and some keep it.",
    todo: "Send Cache-Control: private, no-store with it.",
  },
  "paid-answer-kept": {
    severity: "error",
    what: "After a paid request, the same address hands the article to who did not pay.",
    todo: "Send Cache-Control: private, no-store with it, and empty the cache.",
  },
  "paid-answer-revalidates": {
    severity: "warning",
    what: "Who did not pay is told that the kept copy of the article is still good (304).",
    todo: "Ask for payment before the conditional request is answered, and send no ETag with the paid answer.",
  },
  // What is given to others.
  "paid-text-leaks": {
    severity: "error",
    what: "Paid text stands where nobody paid for it.",
    todo: "Take it out there: a feed, a description, data for search engines, a version for printing, another spelling of the address.",
  },
  "crawler-given-more": {
    severity: "error",
    what: "Who says to be a search engine gets more of the text than a reader. Everyone can say so.",
    todo: "Give crawlers the reader's page, or verify them by their address (reverse and forward DNS).",
  },
  "crawler-turned-away": {
    severity: "warning",
    what: "A search engine does not get the page.",
    todo: "Let crawlers in if the page is to be found: the free part and the offer are for everyone.",
  },
  "crawler-kept-out": {
    severity: "note",
    what: "Search engines are told to stay away from the page.",
    todo: "If it is to be found, allow it in robots.txt, and take out `noindex`.",
  },
  "structured-data-missing": {
    severity: "note",
    what: "The page does not tell search engines that it is paid for.",
    todo: 'Add JSON-LD with "isAccessibleForFree": false.',
  },
  "structured-data-wrong": {
    severity: "warning",
    what: "The page's data for search engines are wrong about what is free.",
    todo: 'Say "isAccessibleForFree": false, in JSON that can be read.',
  },
  "feed-gives-more": {
    severity: "warning",
    what: "The feed holds more of the article than the page shows.",
    todo: "Put the free part into the feed, and nothing else.",
  },
} as const satisfies Readonly<Record<string, Kind>>;

export type FindingCode = keyof typeof FINDINGS;
