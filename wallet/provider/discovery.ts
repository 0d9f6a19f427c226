/** What a provider may say about itself. It names its accounts origin, so that has to be one that keeps accounts apart. */
import { TuppenceError } from "../../shared/errors.ts";
import type { ProviderInfo } from "../../shared/protocol/provider.ts";

/** @throws TuppenceError provider_answer_invalid */
export function checkedInfo(info: ProviderInfo, anonymousOrigin: string): ProviderInfo {
  const trustworthy =
    info.origin === anonymousOrigin && info.accountsOrigin !== anonymousOrigin && isSafe(info.accountsOrigin);
  if (!trustworthy) throw new TuppenceError("provider_answer_invalid", { answer: "discovery" });
  return info;
}

function isSafe(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === "https:" || isLoopback(hostname);
}

function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  );
}
