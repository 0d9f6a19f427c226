/**
 * Runs only on sites that the reader has dealt with, where it listens from the start: a page asks on load whether it
 * was paid for. In a private window it stays silent until a click, as everywhere.
 */
import { announce, startBridge } from "./bridge.ts";
import { extension } from "./extension.ts";

if (!extension.extension?.inIncognitoContext) {
  startBridge();
  announce();
}
