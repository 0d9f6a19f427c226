/** Where the pages' logic meets the browser: the language, the connection and the requests of this page. */
import type { GenericSchema } from "valibot";
import type { UiRequestJson } from "../../../shared/protocol/ui.ts";
import { browserLanguage, connectToBackground, message, sendToBackground } from "../../platform.ts";
import { askUntilAnswered, askWith } from "./ask.ts";
import { type Connection, followWallet } from "./connection.ts";
import { speak, textDirection, textLocale } from "./text.tsx";

speak({ message, browserLanguage });
document.documentElement.lang = textLocale();
document.documentElement.dir = textDirection();

export function connectWallet(): Connection {
  return followWallet({
    connect: connectToBackground,
    after: (milliseconds, run) => void setTimeout(run, milliseconds),
  });
}

export function ask<S extends GenericSchema>(request: UiRequestJson, schema: S) {
  return askWith(sendToBackground, request, schema);
}

/** For what does nothing twice. */
export function askFirmly<S extends GenericSchema>(request: UiRequestJson, schema: S) {
  return askUntilAnswered(sendToBackground, request, schema, pause);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
