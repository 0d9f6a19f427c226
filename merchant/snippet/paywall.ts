/**
 * `<tuppence-paywall>`: holds a sealed article in a script of JSON, or names one behind a back end by `src`.
 *
 * locked → (click) asking → opening → open, or error / no-wallet, from which a click starts again. Whatever the page
 * does to the element meanwhile (removes it, moves it, gives it another article) begins a new turn; answers that
 * belong to an earlier turn are dropped. A payment under way belongs to the article, not to the element, so that an
 * element that comes back joins it instead of paying again.
 */
import { ANNOUNCE_WALLET_EVENT } from "../../shared/protocol/page.ts";
import { type Article, buy, comeBack, type Deps, meet, type Opened, unreadable } from "./article.ts";
import { ask, callWallet, findWallet } from "./conversation.ts";
import { readOffer } from "./offer.ts";
import { Problem, problem } from "./problem.ts";
import { makeView, NO_WALLET, tell } from "./view.ts";

const DATA = 'script[type="application/tuppence+json"]';
/** A click waits this long for the answer to "was this bought already?", if it is under way: nobody pays twice. */
const ENTITLEMENT_PATIENCE_MS = 300;

/** As long, where a payment may have gone through although the site failed: the wallet may have to ask its provider. */
const DOUBT_PATIENCE_MS = 3_000;

const wait = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
const deps: Deps = { ask, fetch: (...request) => fetch(...request), now: Date.now, wait };

const underWay = new Map<string, Promise<Opened>>();

export class TuppencePaywall extends HTMLElement {
  static readonly observedAttributes = ["src"];

  readonly #view = makeView(this, () => void this.#click());
  readonly #watcher = new MutationObserver((changes) => {
    const isOurs = (node: Node) => node instanceof Element && node.matches(DATA);
    if (changes.some(({ addedNodes, removedNodes }) => [...addedNodes, ...removedNodes].some(isOurs)))
      this.#begin();
  });
  /** Between the two callbacks: an upgrade reports the attributes first, while the element is connected already. */
  #isLive = false;
  #turn = new AbortController();
  #article: Article | undefined;
  /** The question whether this was bought, while it is open. */
  #held: Promise<void> | undefined;
  #opened: ChildNode[] = [];
  /** A payment failed after it was given: the next click first looks whether it went through. */
  #doubtful = false;

  connectedCallback(): void {
    this.#isLive = true;
    this.#watcher.observe(this, { childList: true });
    // Moved within the page: what is open stays open.
    if (this.#opened.length === 0) this.#begin();
  }

  disconnectedCallback(): void {
    this.#isLive = false;
    this.#watcher.disconnect();
    this.#turn.abort();
  }

  attributeChangedCallback(_name: string, before: string | null, after: string | null): void {
    if (this.#isLive && before !== after) this.#begin();
  }

  #begin(): void {
    this.#turn.abort();
    const turn = new AbortController();
    this.#turn = turn;
    for (const node of this.#opened.splice(0)) node.remove();
    this.#article = undefined;
    this.#held = undefined;
    this.#doubtful = false;
    this.#lock();
    document.addEventListener(ANNOUNCE_WALLET_EVENT, () => this.#lookBack(), { signal: turn.signal });
    void this.#load(turn.signal);
  }

  /** Finds out what the article costs, so that a click has all it needs, and whether it was bought already. */
  async #load(signal: AbortSignal): Promise<void> {
    try {
      const article = await this.#find();
      if (signal.aborted) return;
      if (typeof article === "string") return this.#open({ html: article, paymentId: "" }, false);
      this.#article = article;
      // Clicked meanwhile: then that click leads, and what it says stays.
      if (this.getAttribute("state") !== "locked") return;
      this.#lock();
      const joined = article && underWay.get(article.offer.resource);
      if (joined) return await this.#finish(joined, signal);
      callWallet();
    } catch {
      // Nothing was asked for yet: a click tries again and tells.
    }
  }

  async #find(): Promise<Article | string | undefined> {
    const src = this.getAttribute("src");
    if (src !== null) return meet(new URL(src, document.baseURI).href, deps);
    const text = this.querySelector(DATA)?.textContent;
    if (!text) return undefined;
    const { offer, sealed }: { offer?: unknown; sealed?: unknown } = JSON.parse(text);
    const read = readOffer(offer);
    if (!read || typeof sealed !== "string") throw problem("offer_invalid");
    return { offer: read, sealed };
  }

  /** Asks once a turn, silently: most pages that ask get no answer at all. */
  #lookBack(): void {
    const article = this.#article;
    const { signal } = this.#turn;
    if (!article || this.#held || this.#isBusy()) return;
    this.#held = comeBack(article, deps)
      .then((opened) => {
        if (opened && !this.#isOver(signal)) this.#open(opened, false);
      })
      .catch((error) => {
        if (!this.#isOver(signal)) this.#fail(error);
      });
  }

  async #click(): Promise<void> {
    const { signal } = this.#turn;
    this.#view.show("asking", "Waiting for your wallet…", "");
    // First of all and without a pause: the wallet listens because of this very click.
    if (!(await findWallet())) {
      if (signal.aborted) return;
      this.#view.show("no-wallet", this.#label(), NO_WALLET);
      return tell(this, "tuppence-error", { code: "wallet_missing", message: NO_WALLET });
    }
    await this.#finish(this.#pay(signal), signal);
  }

  async #pay(signal: AbortSignal): Promise<Opened> {
    const found = this.#article ?? (await this.#find());
    if (typeof found === "string") return { html: found, paymentId: "" };
    if (!found) throw problem("offer_invalid");
    if (this.#held) await Promise.race([this.#held, wait(ENTITLEMENT_PATIENCE_MS)]);
    const { resource } = found.offer;
    const before =
      underWay.get(resource) ??
      (this.#doubtful && (await Promise.race([comeBack(found, deps), wait(DOUBT_PATIENCE_MS)])));
    if (before) return before;
    this.#doubtful = "src" in found;
    const payment = buy(found, deps, () => {
      if (!this.#isOver(signal)) this.#view.show("opening", "Opening…", "");
    });
    underWay.set(resource, payment);
    const forget = () => underWay.delete(resource);
    payment.then(forget, forget);
    return payment;
  }

  async #finish(payment: Promise<Opened>, signal: AbortSignal): Promise<void> {
    try {
      if (!this.#isBusy()) this.#view.show("asking", "Waiting for your wallet…", "");
      const opened = await payment;
      if (this.#isOver(signal)) return;
      this.#open(opened, true);
      const { paymentId } = opened;
      if (paymentId)
        tell(this, "tuppence-paid", { paymentId, resource: this.#article?.offer.resource ?? "" });
    } catch (error) {
      if (!this.#isOver(signal)) this.#fail(error);
    }
  }

  #open({ html, paymentId }: Opened, moveFocus: boolean): void {
    const template = document.createElement("template");
    try {
      // The merchant's own text, which only the merchant could seal or serve. Scripts made this way do not run.
      template.innerHTML = makeTrusted(html);
    } catch (error) {
      throw paymentId ? unreadable(paymentId, ask) : error;
    }
    this.#opened = [...template.content.childNodes];
    const first = template.content.firstElementChild;
    this.append(template.content);
    this.#view.show("open", "", "");
    if (!moveFocus || !(first instanceof HTMLElement)) return;
    // Reading goes on where the button was, for the keyboard and for screen readers too.
    first.tabIndex = -1;
    first.focus({ preventScroll: true });
    first.addEventListener("blur", () => first.removeAttribute("tabindex"), { once: true });
  }

  #fail(error: unknown): void {
    const { code, message } = error instanceof Problem ? error : problem("site_failed");
    this.#view.show("error", `${this.#label()} – try again`, message);
    tell(this, "tuppence-error", { code, message });
  }

  #lock(): void {
    this.#view.show(
      "locked",
      this.#label(),
      "One click with your Tuppence wallet. No account here, and nobody learns what you read.",
    );
  }

  #label(): string {
    const price = this.#article?.offer.price;
    return price ? `Read on for ${price}` : "Read on";
  }

  /** Another turn has begun, or what was bought before opened by itself while the wallet looked. */
  #isOver(signal: AbortSignal): boolean {
    return signal.aborted || this.#opened.length > 0;
  }

  #isBusy(): boolean {
    return ["asking", "opening", "open"].includes(this.getAttribute("state") ?? "");
  }
}

declare global {
  /** Trusted Types, where the browser has them. What a policy makes stands in for a text, and is typed as one. */
  var trustedTypes: { createPolicy(name: string, rules: HtmlPolicy): HtmlPolicy } | undefined;
}
interface HtmlPolicy {
  createHTML(html: string): string;
}

let policy: HtmlPolicy | undefined;

/**
 * Made at the first use, because a name can be used once. A page that requires Trusted Types allows `trusted-types
 * tuppence`, or has a default policy of its own; where it has neither, the text cannot be put into the page.
 */
function makeTrusted(html: string): string {
  try {
    policy ??= globalThis.trustedTypes?.createPolicy("tuppence", { createHTML: (text) => text });
  } catch {}
  return policy ? policy.createHTML(html) : html;
}
