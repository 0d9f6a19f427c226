/** The button with its line below: all that both elements show. */
import { styleSheet } from "./sheet.ts";

export type State = "locked" | "asking" | "opening" | "open" | "error" | "no-wallet" | "thanks";

export interface View {
  readonly show: (state: State, button: string, line: string) => void;
}

const BUSY: readonly State[] = ["asking", "opening"];

export function makeView(host: HTMLElement, onClick: () => void): View {
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [styleSheet()];
  const box = make("div", "box");
  const button = make("button", "button");
  button.type = "button";
  // Not `disabled`: that would throw the keyboard's focus away in the middle of a payment.
  button.addEventListener("click", () => button.ariaDisabled !== "true" && onClick());
  const line = make("p", "status");
  line.role = "status";
  box.append(button, line);

  return {
    show(state, label, text) {
      host.setAttribute("state", state);
      if (state === "open") return root.replaceChildren(make("slot", ""));
      button.textContent = label;
      button.ariaDisabled = `${BUSY.includes(state)}`;
      // At work it keeps its old words, unseen, and so its room: the page below does not jump.
      if (text || !BUSY.includes(state)) line.textContent = text;
      const address = host.getAttribute("wallet-url");
      if (state === "no-wallet" && address) line.append(" ", linkTo(address));
      if (!box.isConnected) root.replaceChildren(box);
    },
  };
}

/** What a page without a wallet says; it stays as usable as it was. */
export const NO_WALLET =
  "This needs the Tuppence wallet, an extension for Chrome and Firefox. Install it, reload this page, and click again. You were not charged.";

/** Heard by the page, also through shadow roots of its own. */
export function tell(
  host: HTMLElement,
  name: "tuppence-paid" | "tuppence-error",
  detail: Readonly<Record<string, string>>,
): void {
  host.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
}

function linkTo(address: string): HTMLAnchorElement {
  const link = make("a", "link");
  link.href = address;
  link.rel = "noreferrer";
  link.textContent = "How to get it";
  return link;
}

function make<K extends keyof HTMLElementTagNameMap>(name: K, part: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  if (part) element.setAttribute("part", part);
  return element;
}
