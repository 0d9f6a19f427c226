/** `SqliteWriter` in a thread: the event loop goes on while a batch is judged, written, and waits for the disk. */
import { join } from "node:path";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
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

export interface SqliteThreadData {
  readonly path: string;
  /** A channel of our own: on the thread's usual one the runtime says things too (`node --watch`). */
  readonly port: MessagePort;
}

export function openSqliteThread(path: string): SqliteThread {
  const { port1: port, port2 } = new MessageChannel();
  const workerData: SqliteThreadData = { path, port: port2 };
  const worker = new Worker(join(import.meta.dirname, "sqlite-worker.ts"), {
    workerData,
    transferList: [port2],
  });
  // Neither keeps a process alive: whoever waits for a batch does.
  worker.unref();
  let waiting: PromiseWithResolvers<GroupOutcome[]> | undefined;
  let ended: Error | undefined;
  let isClosing = false;
  const exited = new Promise<void>((resolve) => {
    worker.once("exit", () => {
      ended ??= new Error("the ledger's thread has ended");
      waiting?.reject(ended);
      resolve();
      if (!isClosing) dieOf(ended);
    });
  });
  worker.once("error", (error) => {
    ended = error instanceof Error ? error : new Error(String(error));
  });
  port.on("message", (result: SqliteResult) => {
    port.unref();
    if ("outcomes" in result) waiting?.resolve(result.outcomes);
    else waiting?.reject(result.error);
    waiting = undefined;
  });
  port.unref();
  const send = (task: SqliteTask): void => port.postMessage(task);
  return {
    async commit(groups, nowMilliseconds) {
      if (ended) throw ended;
      waiting = Promise.withResolvers();
      port.ref();
      send({ groups, nowMilliseconds });
      return waiting.promise;
    },
    async close() {
      isClosing = true;
      if (ended) return;
      worker.ref();
      send("close");
      await exited;
    },
  };
}

/** A provider that cannot write is none: whoever watches the process starts it again, and it goes on from what is stored. */
function dieOf(error: Error): void {
  setImmediate(() => {
    throw error;
  });
}
