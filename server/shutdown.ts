/**
 * The end of a process that has promised things. In this order: not ready, so that nobody sends more; no new connection;
 * every request that was begun is answered, its payment durable; then what is kept open is closed. Whoever is still at it
 * when the patience is over is cut off: its wallet sends the same bytes again, to whoever runs by then.
 */
import type { Server, ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import type { Readiness } from "./readiness.ts";

/** Longer than a request may take to arrive and be answered; shorter than what supervisors wait before they kill. */
const PATIENCE_MILLISECONDS = 25_000;

export interface Draining {
  readonly server: Server;
  readonly readiness: Readiness;
  readonly delaySeconds: number;
  /** Ends what runs beside the requests. */
  readonly stopJobs: () => Promise<void>;
  /** After the last answer. */
  readonly closeAll: () => Promise<void>;
}

/** Call it before the server gets its first request. The function that it returns ends everything; calls after the first join it. */
export function prepareShutdown({ server, readiness, delaySeconds, stopJobs, closeAll }: Draining) {
  const open = new Set<ServerResponse>();
  let isClosing = false;
  let noteAnswer = (): void => undefined;
  server.prependListener("request", (_, response: ServerResponse) => {
    open.add(response);
    if (isClosing) response.setHeader("connection", "close");
    response.once("close", () => {
      open.delete(response);
      noteAnswer();
    });
  });

  const shutDown = async (): Promise<void> => {
    readiness.leave();
    await wait(delaySeconds * 1_000);
    isClosing = true;
    const closed = new Promise((resolve) => server.close(resolve));
    // A client that kept its connection must not send the next request into a closing server.
    for (const response of open) if (!response.headersSent) response.setHeader("connection", "close");
    const answered = new Promise<void>((resolve) => {
      noteAnswer = () => {
        if (open.size === 0) resolve();
      };
      noteAnswer();
    });
    const patience = new AbortController();
    await Promise.race([
      answered,
      wait(PATIENCE_MILLISECONDS, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
    server.closeAllConnections();
    await closed;
    await stopJobs();
    await closeAll();
  };
  let done: Promise<void> | undefined;
  return (): Promise<void> => {
    done ??= shutDown();
    return done;
  };
}
