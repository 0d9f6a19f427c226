/**
 * A page that looks for the wallet in every way that its own script has, and writes down what it saw. The same page in a browser
 * without the wallet has to write down the same.
 *
 * Nothing in it is done by the test but one real click beside everything of ours: what a test evaluates in a page counts as
 * the reader's doing.
 */
import * as v from "valibot";
import {
  ANNOUNCE_WALLET_EVENT,
  REQUEST_EVENT,
  REQUEST_WALLET_EVENT,
  RESPONSE_EVENT,
} from "../../shared/protocol/page.ts";
import { type Site, serveSite } from "./site.ts";

/** What the page saw, by the way in which it looked. */
export const Sightings = v.object({
  globals: v.unknown(),
  calls: v.unknown(),
  events: v.unknown(),
  timing: v.unknown(),
  clicks: v.unknown(),
  frames: v.unknown(),
  resources: v.unknown(),
  document: v.unknown(),
  channels: v.unknown(),
  stacks: v.unknown(),
});
export type Sightings = v.InferOutput<typeof Sightings>;

/** When the page is done, and has its report in `#report`. */
export const DONE_TITLE = "Done";
/** When the page waits for the reader's click on `#elsewhere`. */
export const READY_TITLE = "Ready";

export interface ProbingSite {
  /** `addresses` of files of an extension, as somebody knows them who has it, too. */
  addressOf(addresses: readonly string[]): string;
  close(): Promise<void>;
}

export async function serveProbingSite(): Promise<ProbingSite> {
  const other = await serveSite({ "/frame": { html: frameHtml() } });
  const site = await serveSite({
    "/frame": { html: frameHtml() },
    "/": {
      html: pageHtml(other.origin.replace("127.0.0.1", "localhost")),
      // So that whatever is put into the page from outside is heard of; not its own icon, which a browser fetches when it likes.
      headers: {
        "content-security-policy":
          "default-src 'self'; script-src 'unsafe-inline'; frame-src * blob: data:; img-src * data:; connect-src *; style-src 'none'",
      },
    },
  });
  return {
    addressOf: (addresses) => `${site.origin}/#${encodeURIComponent(JSON.stringify(addresses))}`,
    close: async () => {
      await Promise.all([site, other].map((one: Site) => one.close()));
    },
  };
}

/** Before anything else in a page: what it needs of its own, kept from being watched, and what watches the others. */
const WATCH = `
  const listen = EventTarget.prototype.addEventListener;
  const send = EventTarget.prototype.dispatchEvent;
  const heard = [];
  const calls = [];
  const accesses = [];
  for (const target of [window, document])
    for (const name of ${JSON.stringify([ANNOUNCE_WALLET_EVENT, RESPONSE_EVENT, REQUEST_EVENT, REQUEST_WALLET_EVENT])})
      listen.call(target, name, (event) => { if (!event.ours) heard.push(name); }, true);
  const watchCalls = (owner, ownerName, names) => {
    for (const name of names) {
      const real = owner?.[name];
      if (typeof real !== "function") continue;
      owner[name] = function (...parameters) { if (!globalThis.own) calls.push(ownerName + "." + name + " " + String(parameters[0]).slice(0, 60)); return Reflect.apply(real, this, parameters); };
    }
  };
  watchCalls(EventTarget.prototype, "EventTarget", ["addEventListener", "removeEventListener", "dispatchEvent"]);
  watchCalls(Node.prototype, "Node", ["appendChild", "insertBefore", "replaceChild"]);
  watchCalls(Element.prototype, "Element", ["append", "prepend", "attachShadow", "setAttribute", "matches", "closest"]);
  watchCalls(Document.prototype, "Document", ["createElement", "querySelector", "querySelectorAll", "getElementById"]);
  watchCalls(Event.prototype, "Event", ["composedPath", "stopPropagation", "preventDefault"]);
  watchCalls(JSON, "JSON", ["parse", "stringify"]);
  watchCalls(globalThis, "globalThis", ["fetch", "postMessage", "setTimeout", "structuredClone"]);
  const watchGetter = (owner, ownerName, name) => {
    const found = Object.getOwnPropertyDescriptor(owner, name);
    if (!found?.get) return;
    Object.defineProperty(owner, name, { ...found, get() { if (!globalThis.own) accesses.push(ownerName + "." + name); return found.get.call(this); } });
  };
  for (const name of ["target", "isTrusted", "currentTarget", "type"]) watchGetter(Event.prototype, "Event", name);
  watchGetter(CustomEvent.prototype, "CustomEvent", "detail");
  for (const name of ["localName", "tagName", "id", "shadowRoot"]) watchGetter(Element.prototype, "Element", name);
  const requests = ["", "not json", "{}", ...["pay", "tip", "entitlement", "status", "nonsense"].map((type) => JSON.stringify({ v: 1, id: "probe-" + type, type, payload: { offer: {}, mode: "direct", least: "1", most: "2", merchant: "m", resource: location.href, challenge: "0123456789abcdef", paymentId: "p" } }))];
  const dispatch = (target, event) => { event.ours = true; globalThis.own = true; const went = send.call(target, event); globalThis.own = false; return went; };
  const ask = () => {
    const outcomes = [];
    for (const target of [document, window, document.documentElement]) {
      outcomes.push(dispatch(target, new Event(${JSON.stringify(REQUEST_WALLET_EVENT)}, { bubbles: true, cancelable: true })));
      for (const detail of requests) {
        const event = new CustomEvent(${JSON.stringify(REQUEST_EVENT)}, { detail, bubbles: true, cancelable: true });
        outcomes.push(dispatch(target, event), event.defaultPrevented);
      }
      const trap = { get type() { accesses.push("detail.type"); return "pay"; }, toString() { accesses.push("detail.toString"); return ""; }, toJSON() { accesses.push("detail.toJSON"); } };
      dispatch(target, new CustomEvent(${JSON.stringify(REQUEST_EVENT)}, { detail: trap, bubbles: true }));
    }
    return outcomes.map(Number).join("");
  };
  const globalsOf = (world) => ({
    window: Object.getOwnPropertyNames(world).filter((name) => !/^[0-9]+$/.test(name)).sort(),
    symbols: Object.getOwnPropertySymbols(world).map(String).sort(),
    document: Object.getOwnPropertyNames(world.document).sort(),
    html: Object.getOwnPropertyNames(world.document.documentElement).sort(),
    navigator: Object.getOwnPropertyNames(world.Navigator.prototype).sort(),
    extensionApi: ["chrome", "browser"].map((name) => [name, Object.getOwnPropertyNames(world[name] ?? {}).sort(), typeof world[name]?.runtime]),
  });
`;

/** In frames of all kinds: tells the page around it what it saw. */
function frameScript(): string {
  return `${WATCH}
    const outcomes = ask();
    listen.call(window, "load", () => {
      ask();
      globalThis.own = true;
      document.querySelector("tuppence-paywall").click();
      globalThis.own = false;
      setTimeout(() => parent.postMessage({ frame: name, globals: JSON.stringify(globalsOf(window)).length, names: globalsOf(window), heard, calls: calls.filter((call) => !call.startsWith("globalThis.")), accesses, outcomes, html: document.documentElement.outerHTML.length }, "*"), 200);
    });`;
}

function frameHtml(): string {
  return `<!doctype html><html><head><link rel="icon" href="data:,"><script>${frameScript()}</script></head><body><tuppence-paywall><button>Read on</button></tuppence-paywall></body></html>`;
}

function pageHtml(otherOrigin: string): string {
  const frames = {
    same: "/frame",
    other: `${otherOrigin}/frame`,
    sandboxed: "/frame",
    written: "srcdoc",
    blank: "about:blank",
    blob: "blob",
    data: "data",
  };
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Probing</title><link rel="icon" href="data:,"><script>${WATCH}
    const violations = [];
    listen.call(document, "securitypolicyviolation", ({ blockedURI, effectiveDirective }) => violations.push(effectiveDirective + " " + blockedURI));
    const messages = [];
    listen.call(window, "message", ({ data }) => { if (!data?.frame) messages.push(JSON.stringify(data)); });
    for (const name of ["tuppence", "wallet", "extension"]) new BroadcastChannel(name).onmessage = ({ data }) => messages.push("channel " + data);
    listen.call(window, "storage", ({ key }) => messages.push("storage " + key));
    const errors = [];
    listen.call(window, "error", ({ error, filename }) => errors.push([String(filename).replace(location.origin, ""), /extension:/.test(String(error?.stack))]));
    listen.call(window, "unhandledrejection", ({ reason }) => errors.push(String(reason)));
    const outcomes = [ask()];
    listen.call(document, "DOMContentLoaded", () => outcomes.push(ask()));
    const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

    // How long a dispatch takes, in bunches, because clocks in pages are coarse: slower nearly every time, and by half, or it is chance.
    const timeOf = (name, detail, count) => {
      const began = performance.now();
      for (let times = 0; times < count; times++) dispatch(document, new CustomEvent(name, { detail }));
      return performance.now() - began;
    };
    const tellApart = (one, other, rounds, take) => {
      let slower = 0;
      const sums = [0, 0];
      for (let round = 0; round < rounds; round++) {
        const times = round % 2 ? [take(one), take(other)] : [take(other), take(one)].reverse();
        if (times[0] > times[1]) slower++;
        sums[0] += times[0];
        sums[1] += times[1];
      }
      return slower >= rounds * 0.9 && sums[0] > 1.5 * sums[1];
    };

    const framesSeen = () => new Promise((resolve) => {
      const kinds = ${JSON.stringify(frames)};
      const html = ${JSON.stringify(frameHtml()).replaceAll("</", "<\\/")};
      const seen = {};
      listen.call(window, "message", ({ data }) => {
        if (!data?.frame) return;
        const { frame, ...rest } = data;
        seen[frame] = rest;
        if (Object.keys(seen).length === Object.keys(kinds).length) resolve(Object.fromEntries(Object.entries(seen).sort()));
      });
      for (const [kind, source] of Object.entries(kinds)) {
        globalThis.own = true;
        const frame = document.createElement("iframe");
        frame.name = kind;
        if (kind === "sandboxed") frame.sandbox = "allow-scripts";
        if (source === "srcdoc") frame.srcdoc = html;
        else if (source === "blob") frame.src = URL.createObjectURL(new Blob([html], { type: "text/html" }));
        else if (source === "data") frame.src = "data:text/html," + encodeURIComponent(html);
        else frame.src = source;
        document.body.append(frame);
        if (source === "about:blank") {
          const inner = frame.contentWindow;
          const script = inner.document.createElement("script");
          inner.document.body.innerHTML = "<tuppence-paywall><button>Read on</button></tuppence-paywall>";
          inner.name = kind;
          script.textContent = ${JSON.stringify(frameScript()).replaceAll("</", "<\\/")};
          inner.document.body.append(script);
          inner.dispatchEvent(new inner.Event("load"));
        }
        globalThis.own = false;
      }
    });

    const load = (make) => new Promise((resolve) => {
      globalThis.own = true;
      const element = make();
      element.onload = () => resolve("loaded");
      element.onerror = () => resolve("refused");
      document.head.append(element);
      globalThis.own = false;
      setTimeout(() => resolve("silent"), 3_000);
    });
    const resourcesSeen = async (addresses) => Promise.all(addresses.map(async (address) => {
      globalThis.own = true;
      const fetched = fetch(address).then(() => "loaded", ({ name }) => name);
      const moded = fetch(address, { mode: "no-cors" }).then(() => "loaded", ({ name }) => name);
      globalThis.own = false;
      return [
        await fetched,
        await moded,
        await load(() => Object.assign(new Image(), { src: address })),
        await load(() => Object.assign(document.createElement("script"), { src: address })),
        await load(() => Object.assign(document.createElement("link"), { rel: "stylesheet", href: address })),
        await load(() => Object.assign(document.createElement("link"), { rel: "prefetch", href: address })),
      ];
    }));

    listen.call(window, "load", async () => {
      outcomes.push(ask());
      const mutations = [];
      const observer = new MutationObserver((records) => { if (!globalThis.building) mutations.push(...records.map(({ type, target }) => type + " " + target.nodeName)); });
      observer.observe(document, { attributes: true, childList: true, characterData: true, subtree: true });
      globalThis.own = true;
      for (const element of document.querySelectorAll("body *")) {
        element.click();
        send.call(element, new MouseEvent("click", { bubbles: true, composed: true }));
        send.call(element, new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
      }
      globalThis.own = false;
      outcomes.push(ask());
      await wait(300);
      const untouched = document.documentElement.outerHTML;
      const beforeClick = { heard: [...heard], accesses: [...accesses] };
      globalThis.building = true;
      document.title = ${JSON.stringify(READY_TITLE)};
      await wait(0);
      globalThis.building = false;
      await new Promise((resolve) => listen.call(document, "click", ({ isTrusted }) => { if (isTrusted) resolve(); }));
      outcomes.push(ask());
      await wait(300);
      const clicks = { beforeClick, heard: [...heard], accesses: [...accesses], outcomes: [...outcomes] };
      const still = document.documentElement.outerHTML.replace(/<title>.*?<\\/title>/, "") === untouched.replace(/<title>.*?<\\/title>/, "");
      const random = "a" + Math.random().toString(36).slice(2) + ":request";
      // With as many listeners of the page's own as ours have.
      for (const target of [window, document]) listen.call(target, random, (event) => { if (!event.ours) heard.push(random); }, true);
      const long = JSON.stringify({ v: 1, id: "probe-timing", type: "status", payload: { paymentId: "x".repeat(30_000) } });
      const timing = {
        request: tellApart(${JSON.stringify(REQUEST_EVENT)}, random, 30, (name) => timeOf(name, long, 300)),
        wallet: tellApart(${JSON.stringify(REQUEST_WALLET_EVENT)}, random, 30, (name) => timeOf(name, null, 2_000)),
      };
      globalThis.building = true;
      const frames = await framesSeen();
      const addresses = JSON.parse(decodeURIComponent(location.hash.slice(1)) || "[]");
      const resources = { outcomes: await resourcesSeen(addresses), entries: performance.getEntriesByType("resource").map(({ name }) => name.replace(/^blob:.*/, "blob:").replace(/^data:.*/, "data:")).filter((name) => !addresses.includes(name)).sort() };
      await wait(300);
      const report = {
        globals: globalsOf(window),
        calls: calls.filter((call) => !call.startsWith("globalThis.setTimeout")),
        events: { heard, accesses },
        timing,
        clicks,
        frames,
        resources,
        document: { still, untouched, mutations, sheets: document.styleSheets.length, adopted: document.adoptedStyleSheets.length, violations: violations.filter((one) => !addresses.some((address) => one.includes(new URL(address).protocol))), marks: performance.getEntries().filter(({ entryType }) => ["mark", "measure"].includes(entryType)).map(({ name }) => name), styles: [...getComputedStyle(document.querySelector("tuppence-paywall"))].map((name) => getComputedStyle(document.querySelector("tuppence-paywall")).getPropertyValue(name)).join() },
        channels: { messages, local: Object.keys(localStorage), session: Object.keys(sessionStorage), cookies: document.cookie, databases: (await indexedDB.databases?.())?.map(({ name }) => name), workers: (await navigator.serviceWorker?.getRegistrations())?.length },
        stacks: { errors, own: /extension:/.test(new Error().stack) },
      };
      document.getElementById("report").textContent = JSON.stringify(report);
      document.title = ${JSON.stringify(DONE_TITLE)};
    });
  </script></head><body><tuppence-paywall id="ours"><button>Read on</button></tuppence-paywall><p id="elsewhere">Nothing for sale</p><pre id="report" hidden></pre></body></html>`;
}
