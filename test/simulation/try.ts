import { installEnvironment } from "./environment.ts";
import { installHooks } from "./hooks.ts";
installEnvironment();
installHooks(undefined);
const { simulate } = await import("./simulate.ts");
const from = Number(process.argv[2] ?? 0), n = Number(process.argv[3] ?? 1);
const { coverageTable, addCoverage } = await import("./coverage.ts");
const all = new Map<string, number>();
const t0 = performance.now();
const c0 = process.cpuUsage();
let events = 0, bad = 0;
for (let seed = from; seed < from + n; seed++) {
  const r = await simulate(seed, process.argv[4] === "trace" ? (l) => console.log(l) : undefined);
  events += r.events;
  addCoverage(all, r.coverage);
  if (r.violation) { bad++; console.log(seed, r.violation.slice(0, 1500)); if (n === 1) console.log(r.tail.slice(-40).join("\n")); }
  if (n === 1) console.log(r.traceHash, r.events);
}
console.log(coverageTable(all));
const c = process.cpuUsage(c0);
console.log("cpu", (c.user + c.system) / 1000 / n, "wall", (performance.now() - t0) / n, "ms per seed", events / n, "events per seed", bad, "bad");
