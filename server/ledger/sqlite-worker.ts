/** What runs in the ledger's thread. */
import { parentPort, workerData } from "node:worker_threads";
import type { SqliteResult, SqliteTask } from "./sqlite-thread.ts";
import { openSqliteWriter } from "./sqlite-writer.ts";

const port = parentPort;
if (port === null || typeof workerData !== "string") throw new Error("this file runs in the ledger's thread");
const writer = openSqliteWriter(workerData);

port.on("message", (task: SqliteTask) => {
  if (task === "close") {
    writer.close();
    port.close();
    return;
  }
  const answer = (result: SqliteResult) => port.postMessage(result);
  try {
    answer({ outcomes: writer.commit(task.groups, task.nowMilliseconds) });
  } catch (error) {
    answer({ error });
  }
});
