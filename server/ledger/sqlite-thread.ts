/** `SqliteWriter` in a thread: the event loop goes on while a batch is judged, written, and waits for the disk. */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Group, GroupOutcome } from "./ledger.ts";

export interface SqliteThread {
  /** One batch at a time. */
  commit(groups: readonly Group[], nowMilliseconds: number): Promise<GroupOutcome[]>;
  close(): Promise<void>;
}

/** What goes to the thread. */
export type SqliteTask = { readonly groups: readonly Group[]; readonly nowMilliseconds: number } | "close";
/** What comes back. */
export type SqliteResult = { readonly outcomes: GroupOutcome[] } | { readonly error: unknown };

export function openSqliteThread(path: string): SqliteThread {
  const worker = new Worker(join(import.meta.dirname, "sqlite-worker.ts"), { workerData: path });
  // It keeps no process alive: whoever waits for a batch is what does.
  worker.unref();
  let waiting: PromiseWithResolvers<GroupOutcome[]> | undefined;
  let ended: Error | undefined;
  const exited = new Promise<void>((resolve) => {
    worker.once("exit", () => {
      ended ??= new Error("the ledger's thread has ended");
      waiting?.reject(ended);
      resolve();
    });
  });
  worker.once("error", (error) => {
    ended = error instanceof Error ? error : new Error(String(error));
  });
  worker.on("message", (result: SqliteResult) => {
    const { resolve, reject } = waiting ?? Promise.withResolvers<GroupOutcome[]>();
    waiting = undefined;
    worker.unref();
    if ("outcomes" in result) resolve(result.outcomes);
    else reject(result.error);
  });
  const send = (task: SqliteTask): void => worker.postMessage(task);
  return {
    async commit(groups, nowMilliseconds) {
      if (ended) throw ended;
      waiting = Promise.withResolvers();
      worker.ref();
      send({ groups, nowMilliseconds });
      return waiting.promise;
    },
    async close() {
      if (ended) return;
      worker.ref();
      send("close");
      await exited;
    },
  };
}
