/** A live provider and its test mode: each is told where the other one is, so both ports are known before either starts. */
import { freePort } from "./free-port.ts";

export interface PairSettings {
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
}

export function pairAt(livePort: number, testPort: number): Readonly<Record<"live" | "test", PairSettings>> {
  const settings = (mode: "live" | "test", port: number, other: number): PairSettings => ({
    port,
    environment: {
      TUPPENCE_MODE: mode,
      TUPPENCE_COUNTERPART: `http://127.0.0.1:${other}`,
      TUPPENCE_COUNTERPART_ACCOUNTS: `http://localhost:${other}`,
    },
  });
  return { live: settings("live", livePort, testPort), test: settings("test", testPort, livePort) };
}

export async function freePair(): Promise<ReturnType<typeof pairAt>> {
  return pairAt(await freePort(), await freePort());
}
