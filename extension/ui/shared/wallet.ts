/** Where the pages' logic meets the browser: the language, the connection and the requests of this page. */
import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { type GenericSchema, is } from "valibot";
import { TEST_PROVIDER, TestProvider, type UiRequestJson } from "../../../shared/protocol/ui.ts";
import {
  browserLanguage,
  connectToBackground,
  message,
  readDevice,
  sendToBackground,
} from "../../platform.ts";
import { askingAhead, askUntilAnswered, askWith } from "./ask.ts";
import { type Connection, followWallet } from "./connection.ts";
import { speak, textDirection, textLocale } from "./text.tsx";

speak({ message, browserLanguage });
document.documentElement.lang = textLocale();
document.documentElement.dir = textDirection();

/** `test`: the wallet of test mode, which can be left. `at-test`: the reader's own wallet, at a provider of test mode. */
export type Mode = "live" | "test" | "at-test";

/** Of test mode, as the device remembers it: sooner than the background answers, which may have to start first. */
export const testProvider: Promise<TestProvider> = readDevice(TEST_PROVIDER)
  .then((kept) => (is(TestProvider, kept) ? kept : undefined))
  .catch(() => undefined);

export function connectWallet(): Connection & { readonly mode: ReadonlySignal<Mode> } {
  const connection = followWallet({ connect: connectToBackground, after });
  const mode = signal<Mode>("live");
  void testProvider.then((kept) => {
    if (kept !== undefined && connection.snapshot.peek() === undefined) mode.value = "test";
  });
  connection.snapshot.subscribe((current) => {
    if (current === undefined) return;
    const { testMode, provider } = current;
    mode.value = testMode === "on" ? "test" : provider.mode === "test" ? "at-test" : "live";
  });
  effect(() => {
    document.documentElement.setAttribute("data-mode", mode.value === "live" ? "live" : "test");
  });
  return { ...connection, mode };
}

function after(milliseconds: number, run: () => void): void {
  setTimeout(run, milliseconds);
}

const { send, ahead } = askingAhead(sendToBackground, after);

/** For what a page is about to ask. Call it after `connectWallet`. */
export const askAhead = ahead;

export function ask<S extends GenericSchema>(request: UiRequestJson, schema: S) {
  return askWith(send, request, schema);
}

/** For what does nothing twice. */
export function askFirmly<S extends GenericSchema>(request: UiRequestJson, schema: S) {
  return askUntilAnswered(sendToBackground, request, schema, pause);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
