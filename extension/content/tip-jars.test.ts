import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { TipJarWatch } from "./tip-jars.ts";

const LINK = { provider: null, merchant: null, href: "https://pay.example/merchants/the-lantern" };
type Name = Readonly<Record<string, string | null>>;

/** What the selector finds in the page, now. */
let names: Name[];
let looks: number;
let sent: unknown[];
let isObserving: boolean;
let listeners: Map<string, (event: object) => void>;
let watch: TipJarWatch;
/** The page changes something. */
let change: () => void;

beforeEach(async () => {
  vi.useFakeTimers();
  vi.resetModules();
  names = [];
  looks = 0;
  sent = [];
  isObserving = false;
  listeners = new Map();
  const listen = (type: string, listener: (event: object) => void) => void listeners.set(type, listener);
  const querySelectorAll = () => {
    looks += 1;
    return names.map((name) => ({ getAttribute: (attribute: string) => name[attribute] ?? null }));
  };
  vi.stubGlobal("Document", { prototype: { querySelectorAll } });
  vi.stubGlobal("document", { addEventListener: listen });
  vi.stubGlobal("addEventListener", listen);
  vi.stubGlobal(
    "MutationObserver",
    class {
      constructor(onChange: () => void) {
        change = () => {
          if (isObserving) onChange();
        };
      }
      observe() {
        isObserving = true;
      }
      disconnect() {
        isObserving = false;
      }
    },
  );
  const sendMessage = async (message: unknown) => {
    sent.push(message);
    return null;
  };
  vi.stubGlobal("chrome", { runtime: { id: "x", sendMessage } });
  watch = (await import("./tip-jars.ts")).watchTipJars();
});
afterEach(() => {
  vi.useRealTimers();
});

const parse = () => listeners.get("DOMContentLoaded")?.({});
const elapse = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

it("says nothing of a page that names nobody, however much it changes", async () => {
  parse();
  for (let changes = 0; changes < 100; changes++) {
    change();
    await elapse(100);
  }
  expect(sent).toEqual([]);
});

it("says once that somebody is named, without saying who, and again when that changes or ends", async () => {
  names = [LINK];
  parse();
  expect(sent).toEqual([{ kind: "tip-jar" }]);
  change();
  await elapse(10_000);
  expect(sent).toHaveLength(1);
  names = [{ ...LINK, href: "https://pay.example/merchants/another" }];
  change();
  await elapse(10_000);
  expect(sent).toHaveLength(2);
  names = [];
  change();
  await elapse(10_000);
  expect(sent).toHaveLength(3);
});

it("looks less and less often at a page that never stops changing, so that it cannot have the look repeated", async () => {
  parse();
  for (let seconds = 0; seconds < 3_600; seconds++) {
    change();
    vi.advanceTimersByTime(1_000);
  }
  expect(looks).toBeLessThan(16);
});

it("does not let a reader who clicked wait for a page that has changed for hours", async () => {
  parse();
  for (let seconds = 0; seconds < 3_600; seconds++) {
    change();
    vi.advanceTimersByTime(1_000);
  }
  names = [LINK];
  watch.hurry();
  change();
  await elapse(1_000);
  expect(sent).toHaveLength(1);
});

it("tells of a page that comes back from the browser's cache as it was, when the icon is not", () => {
  names = [LINK];
  parse();
  listeners.get("pageshow")?.({ persisted: false });
  expect(sent).toHaveLength(1);
  listeners.get("pageshow")?.({ persisted: true });
  expect(sent).toHaveLength(2);
});

it("does not make much of a page that is full of names", () => {
  names = Array(10_000).fill(LINK);
  parse();
  expect(sent).toEqual([{ kind: "tip-jar" }]);
});
