/** Where `npm start` and `npm run dev` put things, so that a reader's browser finds the same provider in both. */
import process from "node:process";

export const PROVIDER_PORT = 4020;
/** Of test mode: another provider, beside the first one. */
export const TEST_PROVIDER_PORT = 4021;
export const NEWSPAPER_PORT = 4030;
export const DATA = ".tuppence";
export const TEST_DATA = ".tuppence-test";
/** Short, so that there is soon something to settle. */
export const REFUND_WINDOW_SECONDS = 15;
export const SETTLE_EVERY_SECONDS = 60;

export function hasDisplay(): boolean {
  if (process.platform === "darwin" || process.platform === "win32") return true;
  return Boolean(process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY);
}
