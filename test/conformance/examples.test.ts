/** The examples for site owners, started as their READMEs say, and bought from by a program. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { merchantAccount } from "../../server/ledger/accounts.ts";
import { micros } from "../../shared/money.ts";
import { createPayingFetch } from "../../wallet/node/index.ts";
import { openFundedProgram } from "../support/funded-program.ts";
import { startTestProvider, type TestProvider } from "./provider.ts";

const PRICE = 50_000n;
/** The others are tried in a browser. */
const SERVERS = globSync("demo/examples/*/server.ts");

let provider: TestProvider;
let child: ChildProcess | undefined;
beforeAll(async () => {
  provider = await startTestProvider();
});
afterAll(() => provider.close());
afterEach(async () => {
  if (child?.exitCode === null && child.kill()) await once(child, "exit");
});

it.each(SERVERS)("%s sells, and lets its buyers come back", async (file) => {
  const name = path.basename(path.dirname(file));
  const id = `paper-${name}`;
  const started = spawn(process.execPath, [file], {
    env: { ...process.env, PROVIDER: provider.origin, MERCHANT: id, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  child = started;
  const [origin]: string[] = await once(createInterface({ input: started.stdout }), "line");
  await provider.provider.deps.merchants.put({ id, name, origins: [`${origin}`] });
  expect(await (await fetch(`${origin}/`)).text()).toContain('<tuppence-paywall src="/api/articles/tides">');
  const { program, balance, close } = await openFundedProgram(provider, 1_000_000n);
  const pay = createPayingFetch(program, { max: micros(PRICE) });
  for (let time = 1; time <= 2; time++)
    expect(await (await pay(`${origin}/api/articles/tides`)).text()).toBe("<p>And this is why.</p>");
  expect(await balance()).toBe(1_000_000n - PRICE);
  expect(await provider.provider.deps.ledger.balance(merchantAccount(id))).toBe(PRICE);
  await close();
});
