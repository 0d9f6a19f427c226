// Runs a TypeScript file of this project with the Node 24 that its dependencies bring, installing them first when
// they are missing or older than the lockfile. Plain JavaScript without dependencies, because it runs before there
// are any, on a Node that cannot strip types: `node scripts/run.mjs <file.ts> [arguments]`.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const OLDEST_NODE = [20, 19];
const NEEDED_NODE_MAJOR = 24;
const windows = process.platform === "win32";
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const modules = path.join(root, "node_modules");
const lockFile = path.join(root, "package-lock.json");
const hashFile = path.join(modules, ".tuppence-lock-hash");

refuseAnOldNode();
const [target, ...rest] = process.argv.slice(2);
if (target === undefined) stop("Say which file to run: node scripts/run.mjs <file.ts> [arguments]");
installWhatIsMissing();
run(findNode(), [path.join(root, target), ...rest]);

function refuseAnOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  stop(
    `Tuppence needs Node ${OLDEST_NODE.join(".")} or newer, and this is ${process.versions.node}: see https://nodejs.org`,
  );
}

function installWhatIsMissing() {
  const hash = createHash("sha256").update(readFileSync(lockFile)).digest("hex");
  if (existsSync(hashFile) && readFileSync(hashFile, "utf8") === hash) return;
  if (!installedAsLocked()) {
    console.error("Installing the dependencies (once, and whenever they change) …");
    // Not `npm ci`: it refuses a lockfile that leaves out the binaries of other platforms, which npm leaves out when the
    // registry at hand lacks them. `--no-save` takes every version from the lockfile all the same, and changes nothing.
    // The rest holds whatever the user's npm is set to: the tools too, and the script that brings Node 24.
    const options = ["--no-save", "--include=dev", "--ignore-scripts=false", "--no-audit", "--no-fund"];
    // npm's report goes to standard error, so that a command's own output stays clean.
    const npm = spawnSync("npm", ["install", ...options, "--loglevel=error"], {
      cwd: root,
      stdio: ["ignore", 2, 2],
      shell: windows,
    });
    if (npm.error) stop(`npm did not start: ${npm.error.message}`);
    if (npm.status !== 0) stop("npm could not install the dependencies: see above.");
  }
  writeFileSync(hashFile, hash);
}

/** True after an `npm install` by hand, which leaves nothing to do. npm writes the inner lockfile last of all. */
function installedAsLocked() {
  const innerLockFile = path.join(modules, ".package-lock.json");
  if (!existsSync(innerLockFile)) return false;
  const installed = JSON.parse(readFileSync(innerLockFile, "utf8")).packages;
  return Object.entries(JSON.parse(readFileSync(lockFile, "utf8")).packages).every(
    ([place, locked]) => place === "" || locked.optional || installed[place]?.version === locked.version,
  );
}

function findNode() {
  const brought = path.join(modules, "node", "bin", windows ? "node.exe" : "node");
  // Where the package has no binary that runs (as on musl), the running Node does if it is new enough.
  for (const node of [brought, process.execPath]) {
    const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout ?? "";
    if (Number(/^v(\d+)/.exec(version)?.[1] ?? 0) >= NEEDED_NODE_MAJOR) return node;
  }
  return stop(
    `The install did not bring Node ${NEEDED_NODE_MAJOR}: the package "node" gets it by its install script, which did not run. ` +
      `Run "npm rebuild node --ignore-scripts=false", or use Node ${NEEDED_NODE_MAJOR} or newer yourself.`,
  );
}

function run(node, args) {
  const PATH = [path.join(modules, ".bin"), process.env.PATH].join(path.delimiter);
  const child = spawn(node, args, { stdio: "inherit", env: { ...process.env, PATH } });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    // A terminal sends Ctrl-C to the child as well; sent twice it would read as "at once".
    process.on(signal, () => (signal === "SIGINT" && process.stdin.isTTY ? undefined : child.kill(signal)));
  }
  child.on("error", (error) => stop(`Node did not start: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}
