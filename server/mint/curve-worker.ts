/** What runs in the pool's threads. It gets the keys once, at its start. */
import { workerData } from "piscina";
import * as v from "valibot";
import { type SignTask, signAll, type VerifyTask, verifyAll } from "./curve-tasks.ts";

const { keys } = v.parse(v.object({ keys: v.map(v.string(), v.instance(Uint8Array)) }), workerData);

export default function run(task: VerifyTask | SignTask) {
  return task.kind === "verify" ? verifyAll(keys, task) : signAll(keys, task);
}
