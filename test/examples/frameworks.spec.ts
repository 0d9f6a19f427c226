/** The examples that bring packages of their own, built as their READMEs say, served, and paid for in a browser. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { type Examples, openExamples, run } from "../support/examples.ts";
import { expect, test } from "../support/extension.ts";
import { freePort } from "../support/free-port.ts";

const ASTRO = "demo/examples/astro";
const NEXT = "demo/examples/next";
const NEXT_COMMAND = "node_modules/next/dist/bin/next";
/** Nobody but the test is talked to. */
const QUIET = { ASTRO_TELEMETRY_DISABLED: "1", NEXT_TELEMETRY_DISABLED: "1" };

let examples: Examples;
let child: ChildProcess | undefined;
test.beforeAll(async () => {
  examples = await openExamples();
});
test.afterAll(() => examples.close());
test.afterEach(async () => {
  if (child?.exitCode === null && child.kill()) await once(child, "exit");
});

test("the example for Astro sells what its integration sealed, and its feed gives nothing away", async () => {
  const { keyFile, origin, out, close } = await examples.serveFolder("night-baker");
  const printed = await run(["node_modules/astro/bin/astro.mjs", "build"], {
    ...QUIET,
    cwd: ASTRO,
    TUPPENCE_KEY: keyFile,
    TUPPENCE_PROVIDER: examples.providerOrigin,
    SITE_URL: origin,
    SITE_CLEAR: join(examples.folder, "night-baker-clear"),
    SITE_OUT: out,
  });
  expect(printed).toContain("sealed nights/leaven/index.html");
  const feed = await readFile(join(out, "feed.xml"), "utf8");
  expect(feed).toContain("It has to be fed at one");
  expect(feed).toContain(`${origin}/nights/leaven/`);
  expect(feed).toContain("Read on for 5¢");
  expect(feed).not.toContain("a yeast that cannot eat malt sugar");

  const steam = { part: ".tuppence-paid", price: "7¢", words: "Pull the lever too late" };
  await (await examples.buy({ address: `${origin}/nights/steam/`, ...steam })).close();
  await close();
});

test("the example for Next.js sells what no page and no bundle of it holds, and lets its reader come back", async () => {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const tides = {
    address: `${origin}/`,
    part: "tuppence-paywall",
    price: "5¢",
    words: "There are two hills of it",
  };
  await examples.register("my-paper", origin);
  await run([NEXT_COMMAND, "build"], { ...QUIET, cwd: NEXT });
  for (const file of await filesBelow(`${NEXT}/.next/static`))
    expect(await readFile(file, "utf8"), file).not.toContain(tides.words);

  await startNext(port, { PROVIDER: examples.providerOrigin, SITE_URL: origin });
  const page = await examples.buy(tides);
  await examples.comeBack(tides);

  // React throws away what it finds in an element before it has gone over the page, so what was paid for would vanish again.
  await page.route("**/_next/static/**/*.js", (route) => route.abort());
  await page.reload();
  const isHere = await page.evaluate(() => customElements.get("tuppence-paywall") !== undefined);
  expect(isHere, "the snippet waits for React").toBe(false);
  await page.close();
});

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

/** Until it answers. */
async function startNext(port: number, environment: Readonly<Record<string, string>>): Promise<void> {
  const started = spawn(
    process.execPath,
    [NEXT_COMMAND, "start", "--hostname", "127.0.0.1", "--port", `${port}`],
    { cwd: NEXT, env: { ...process.env, ...QUIET, ...environment }, stdio: ["ignore", "pipe", "inherit"] },
  );
  let printed = "";
  child = started;
  started.stdout.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  await expect
    .poll(() => {
      if (started.exitCode !== null) throw new Error(`Next.js ended: ${printed}`);
      return printed;
    })
    .toContain("Ready");
}
