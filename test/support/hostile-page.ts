/**
 * A page that speaks to the wallet by itself, without the snippet, and so can say what the snippet never would. It
 * sends from its own script, within a click that the reader really makes: what a test evaluates would count as one.
 */
import { expect, type Frame, type Page } from "@playwright/test";
import {
  ANNOUNCE_WALLET_EVENT,
  PROTOCOL_VERSION,
  REQUEST_EVENT,
  REQUEST_WALLET_EVENT,
  RESPONSE_EVENT,
} from "../../shared/protocol/page.ts";
import type { MerchantSite } from "./merchant.ts";

const SCRIPT = `
  globalThis.answers = [];
  globalThis.announced = 0;
  globalThis.toSend = [];
  document.addEventListener(${JSON.stringify(RESPONSE_EVENT)}, ({ detail }) => answers.push(JSON.parse(detail)));
  document.addEventListener(${JSON.stringify(ANNOUNCE_WALLET_EVENT)}, () => (announced += 1));
  globalThis.sendAll = () => {
    document.dispatchEvent(new Event(${JSON.stringify(REQUEST_WALLET_EVENT)}));
    for (const detail of toSend.splice(0)) document.dispatchEvent(new CustomEvent(${JSON.stringify(REQUEST_EVENT)}, { detail }));
  };
  addEventListener("click", ({ target }) => {
    if (target.id === "buy") sendAll();
  });
`;

const JAVASCRIPT = { "content-type": "text/javascript" };

/** Publishes the page, and gives its address. `script` is the page's own, beside what sends. */
export function publishHostilePage(
  site: MerchantSite,
  path: string,
  { script = "", body = "", headers = {} }: HostilePage = {},
): string {
  site.publish(`${path}.js`, SCRIPT + script, JAVASCRIPT);
  site.publish(
    path,
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Hostile</title><link rel="icon" href="data:,"><script src="${path}.js"></script></head><body><tuppence-offer><button id="buy">Buy</button></tuppence-offer>${body}</body></html>`,
    headers,
  );
  return site.addressOf(path);
}

export interface HostilePage {
  readonly script?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly id: string;
  readonly ok?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string; readonly message: string };
}

let lastId = 0;

/** A request as the snippet would write it, with an id of its own. */
export function requestOf(
  type: string,
  payload: object,
): { id: string; v: number; type: string; payload: object } {
  lastId += 1;
  return { v: PROTOCOL_VERSION, id: `hostile-${String(lastId).padStart(6, "0")}`, type, payload };
}

/** What the page will send at the reader's next click: strings as they are, anything else as JSON. */
export async function load(page: Page | Frame, requests: readonly unknown[]): Promise<void> {
  const texts = requests.map((request) => (typeof request === "string" ? request : JSON.stringify(request)));
  await page.evaluate((toSend) => Object.assign(globalThis, { toSend }), texts);
}

export function answersIn(page: Page | Frame): Promise<Answer[]> {
  return page.evaluate("answers");
}

/** Loads the requests, clicks as a reader does, and waits for the answer to each of them that has an id. */
export async function clickAndSend(page: Page | Frame, requests: readonly unknown[]): Promise<Answer[]> {
  await load(page, requests);
  await page.locator("#buy").click();
  const ids = requests.map(idOf).filter((id) => id !== undefined);
  return answersTo(page, ids);
}

export async function answersTo(page: Page | Frame, ids: readonly string[]): Promise<Answer[]> {
  const isAnswered = async () => {
    const answered = new Set((await answersIn(page)).map(({ id }) => id));
    return ids.filter((id) => !answered.has(id));
  };
  await expect.poll(isAnswered, { message: "requests without an answer", intervals: [50, 100] }).toEqual([]);
  return (await answersIn(page)).filter(({ id }) => ids.includes(id));
}

/**
 * A question that the wallet always answers a page that it listens to. What was asked before it and is not answered
 * when it is, met silence.
 */
export function markerRequest() {
  return requestOf("status", { paymentId: "0".repeat(32) });
}

function idOf(request: unknown): string | undefined {
  return typeof request === "object" && request !== null && "id" in request && typeof request.id === "string"
    ? request.id
    : undefined;
}
