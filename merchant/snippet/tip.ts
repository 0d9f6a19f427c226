/** `<tuppence-tip merchant provider amount least most currency label>`: the reader chooses the amount in the wallet. */
import { formatMoney, parseMicros } from "../../shared/money.ts";
import { readTip } from "../../shared/offer.ts";
import { ask, findWallet } from "./conversation.ts";
import { decodeTip } from "./decode.ts";
import { Problem, problem } from "./problem.ts";
import { makeView, NO_WALLET, tell } from "./view.ts";

export class TuppenceTip extends HTMLElement {
  static readonly observedAttributes = ["label"];

  readonly #view = makeView(this, () => void this.#click());
  #turn = new AbortController();

  connectedCallback(): void {
    this.#turn = new AbortController();
    this.#view.show("locked", this.#label(), "");
  }

  disconnectedCallback(): void {
    this.#turn.abort();
  }

  attributeChangedCallback(): void {
    if (this.getAttribute("state") === "locked") this.#view.show("locked", this.#label(), "");
  }

  async #click(): Promise<void> {
    const { signal } = this.#turn;
    this.#view.show("asking", "Waiting for your wallet…", "");
    try {
      if (!(await findWallet())) throw new Problem("wallet_missing", NO_WALLET);
      // Read at the click: a single-page application has another address by now than when it made the element.
      const tip = readTip((name) => this.getAttribute(name), {
        resource: location.href.split("#", 1)[0] ?? "",
        title: document.title.slice(0, 200),
      });
      if (!tip) throw problem("offer_invalid");
      const { paymentId, amount } = await ask("tip", tip, decodeTip);
      if (signal.aborted) return;
      const micros = parseMicros(amount);
      this.#view.show(
        "thanks",
        this.#label(),
        `Thank you! ${micros ? formatMoney(micros, this.getAttribute("currency") ?? "USD") : "Your tip"} is on its way.`,
      );
      tell(this, "tuppence-paid", { paymentId, amount });
    } catch (error) {
      if (signal.aborted) return;
      const { code, message } = error instanceof Problem ? error : problem("message_invalid");
      this.#view.show(code === "wallet_missing" ? "no-wallet" : "error", this.#label(), message);
      tell(this, "tuppence-error", { code, message });
    }
  }

  #label(): string {
    return this.getAttribute("label") || "Leave a tip";
  }
}
