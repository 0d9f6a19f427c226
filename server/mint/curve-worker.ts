/** What runs in the pool's threads. */
import { type SignTask, signAll, type VerifyTask, verifyAll } from "./curve-tasks.ts";

export default function run(task: VerifyTask | SignTask) {
  return task.kind === "verify" ? verifyAll(task.coins) : signAll(task.blanks);
}
