import type { Fetch } from "./provider.ts";

/** What a command is handed, so that a test can look at it. */
export interface CommandDeps {
  readonly fetch: Fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly print: (line: string) => void;
  /** To the output, as it is. */
  readonly write: (bytes: Uint8Array) => void;
  /** Beside the output, so that `> key.jwk.json` keeps the key alone. */
  readonly note: (line: string) => void;
  /** Whether the output is a terminal that shows colours. */
  readonly hasColours?: boolean;
}
