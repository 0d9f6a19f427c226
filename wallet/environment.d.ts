// Beyond shared/environment.d.ts: what a typed client of HTTP needs, in every environment the wallet runs in.

interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
}
declare const AbortSignal: {
  abort(reason?: unknown): AbortSignal;
  any(signals: Iterable<AbortSignal>): AbortSignal;
  timeout(milliseconds: number): AbortSignal;
};
declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

declare class Headers {
  constructor(init?: Record<string, string> | [string, string][]);
  get(name: string): string | null;
  has(name: string): boolean;
  set(name: string, value: string): void;
}

interface RequestInit {
  method?: string;
  headers?: Headers | Record<string, string> | [string, string][];
  body?: string | BufferSource | null;
  cache?: "default" | "no-store" | "reload" | "no-cache" | "force-cache";
  credentials?: "omit" | "same-origin" | "include";
  keepalive?: boolean;
  mode?: "cors" | "no-cors" | "same-origin";
  redirect?: "error" | "follow" | "manual";
  referrerPolicy?: "no-referrer" | "origin" | "same-origin";
  signal?: AbortSignal | null;
}

declare class Response {
  constructor(
    body?: string | BufferSource | null,
    init?: { status?: number; headers?: Record<string, string> },
  );
  readonly headers: Headers;
  readonly ok: boolean;
  readonly redirected: boolean;
  readonly status: number;
  readonly url: string;
  arrayBuffer(): Promise<ArrayBuffer>;
  json(): Promise<unknown>;
  text(): Promise<string>;
}

declare function fetch(url: string | URL, init?: RequestInit): Promise<Response>;
