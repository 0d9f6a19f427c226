/** What runs in the ledger's thread. */
import { workerData } from "node:worker_threads";
import type { SqliteResult, SqliteTask, SqliteThreadData } from "./sqlite-thread.ts";
import { openSqliteWriter } from "./sqlite-writer.ts";

const { path, port }: SqliteThreadData = workerData;
const writer = openSqliteWriter(path);

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
