/** What the operator's commands do, each in a process of its own: `node bench/operator.ts settle|statements|audit`. Prints how it went. */
import { join } from "node:path";
import { auditProvider } from "../server/audit.ts";
import { withDeps } from "../server/cli/run.ts";
import { readConfig } from "../server/config.ts";
import type { Deps } from "../server/deps.ts";
import { settleAll, writeMissingStatements } from "../server/settlement/index.ts";

const KIB_PER_MB = 1e6 / 1_024;

/** How many things it did. */
const COMMANDS: Readonly<Record<string, (deps: Deps) => Promise<number>>> = {
  async settle(deps) {
    const settlements = await settleAll(deps, { now: deps.now() });
    return settlements.reduce((count, { paymentCount }) => count + paymentCount, 0);
  },
  statements: async (deps) =>
    (await writeMissingStatements(deps, join(deps.config.dataFolder, "statements"))).length,
  async audit(deps) {
    const { transfers, differences } = await auditProvider(deps);
    if (differences.length > 0)
      throw new Error(`${differences.length} differences:\n${differences.slice(0, 10).join("\n")}`);
    return transfers;
  },
};

const command = COMMANDS[process.argv[2] ?? ""];
if (!command) throw new Error(`one of ${Object.keys(COMMANDS).join(", ")}`);
const result = await withDeps(readConfig(process.env), async (deps) => {
  const started = performance.now();
  const count = await command(deps);
  return { count, seconds: (performance.now() - started) / 1_000 };
});
const rssMb = process.resourceUsage().maxRSS / KIB_PER_MB;
process.stdout.write(`${JSON.stringify({ ...result, rssMb })}\n`);
