/**
 * `npm run dev`: provider and newspaper start again whenever their code changes; the extension and the snippet are built
 * again, and the extension reloads itself in the browser that this opened. Data stay in `.tuppence/`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { type Extension, launchExtension } from "../test/support/extension.ts";
import { ensureBrowsers } from "./browsers.ts";
import { buildAndWatch } from "./build.ts";
import { DATA, hasDisplay, NEWSPAPER_PORT, PROVIDER_PORT } from "./settings.ts";

const ASK_AGAIN_MS = 200;
const newspaper = `http://127.0.0.1:${NEWSPAPER_PORT}`;
let servers: ChildProcess | undefined;
let extension: Extension | undefined;

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);

if (hasDisplay()) ensureBrowsers(["chromium"]);
else
  console.log(
    `There is no display: load dist/chrome into a browser yourself, and reload it there after a build.`,
  );
await buildAndWatch(["chrome", "merchant", "dashboard"], () => void refresh());

async function refresh(): Promise<void> {
  servers ??= startServers();
  if (!hasDisplay()) return;
  if (extension) return reload(extension);
  extension = await launchExtension({ headless: false, profileFolder: path.resolve(DATA, "browser") });
  extension.context.once("close", stop);
  await untilAnswers(newspaper);
  await (await extension.context.newPage()).goto(newspaper);
}

/** They start beside the browser, and start again when what they print is mended. */
async function untilAnswers(url: string): Promise<void> {
  while (!(await fetch(url).catch(() => undefined))?.ok) await setTimeout(ASK_AGAIN_MS);
}

/** A process of its own, so that a change of the provider's or the paper's code reaches it. */
function startServers(): ChildProcess {
  // By folders: the provider is a process of its own, whose imports this one does not see.
  const watched = ["server", "shared", "merchant", "demo", "scripts", "dist/dashboard"].map(
    (folder) => `--watch-path=${folder}`,
  );
  return spawn(process.execPath, [...watched, "--watch-preserve-output", "scripts/servers.ts"], {
    stdio: "inherit",
    env: { ...process.env, TUPPENCE_PORT: String(PROVIDER_PORT) },
  });
}

async function reload({ serviceWorker }: Extension): Promise<void> {
  const worker = await serviceWorker();
  // It ends in the middle of the call.
  await worker.evaluate(() => chrome.runtime.reload()).catch(() => undefined);
}

function stop(): void {
  servers?.kill("SIGTERM");
  process.exit(0);
}
