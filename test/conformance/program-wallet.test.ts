/** Programs that pay: a wallet in a file, at a real provider, for a site behind the stock middleware of `@x402/express`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HTTPFacilitatorClient } from "@x402/core/server";
import { paymentMiddlewareFromHTTPServer, x402HTTPResourceServer, x402ResourceServer } from "@x402/express";
import express, { type RequestHandler } from "express";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runFetch, runWallet } from "../../merchant/cli/pay.ts";
import { CommandError } from "../../merchant/cli/problem.ts";
import {
  createReceiptVerifier,
  facilitatorUrl,
  letReturnIn,
  TuppenceScheme,
} from "../../merchant/server/index.ts";
import { merchantAccount } from "../../server/ledger/accounts.ts";
import { micros } from "../../shared/money.ts";
import {
  AlreadyBoughtError,
  createPayingFetch,
  openProgramWallet,
  PriceTooHighError,
  type ProgramWallet,
} from "../../wallet/node/index.ts";
import { startTestProvider, type TestProvider } from "./provider.ts";
import { approveTopUp } from "./reader.ts";

const MERCHANT = "the-weather";
const PRICE = 50_000n;
const TOP_UP = 2_000_000n;
const WAIT_MS = 30_000;
/** A process is started for each kill. */
const KILLED_MS = 240_000;

let provider: TestProvider;
let site: { readonly origin: string; readonly server: Server };
let folder: string;
let program: ProgramWallet;
/** What the site does before the middleware sees a request. */
let between: RequestHandler;
let served: number;
/** Handed over for money, or to who had paid. */
let servedDays: string[];

beforeAll(async () => {
  provider = await startTestProvider();
  site = await startSite();
  await provider.provider.deps.merchants.put({ id: MERCHANT, name: "The Weather", origins: [site.origin] });
});
afterAll(async () => {
  await new Promise((resolve) => site.server.close(resolve));
  await provider.close();
});
beforeEach(async () => {
  between = (_request, _response, next) => next();
  served = 0;
  servedDays = [];
  folder = mkdtempSync(join(tmpdir(), "tuppence-program-"));
  program = await openFunded();
});
afterEach(async () => {
  await program.close();
  expect((await provider.provider.deps.ledger.audit()).differences).toEqual([]);
  rmSync(folder, { recursive: true });
});

async function startSite() {
  const scheme = new TuppenceScheme({ provider: provider.origin });
  const facilitator = new HTTPFacilitatorClient({ url: facilitatorUrl(provider.origin) });
  const server = new x402ResourceServer(facilitator).register(scheme.network, scheme);
  const accepts = {
    scheme: "exact",
    network: scheme.network,
    payTo: MERCHANT,
    price: "5¢",
    extra: { title: "Forecast" },
  };
  const routes = { "GET /forecast/:day": { accepts }, "POST /ask": { accepts } };
  const receipts = createReceiptVerifier({
    provider: provider.origin,
    merchant: MERCHANT,
    fetch,
    now: Date.now,
  });
  const http = new x402HTTPResourceServer(server, routes).onProtectedRequest(letReturnIn(receipts));
  const app = express().use(express.text(), (request, response, next) => between(request, response, next));
  app.use(paymentMiddlewareFromHTTPServer(http));
  app.get("/forecast/:day", (request, response) => {
    served += 1;
    servedDays.push(request.params.day);
    response.send(`Rain on ${request.params.day}.`);
  });
  app.post("/ask", (request, response) => void response.send(`You asked: ${request.body}`));
  app.get("/free", (_request, response) => void response.send("Look out of the window."));
  app.get("/moved", (_request, response) => response.redirect("/forecast/tuesday"));
  return listen(app);
}

async function listen(app: express.Express): Promise<{ readonly origin: string; readonly server: Server }> {
  const listening = createServer(app);
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const address = listening.address();
  if (address === null || typeof address === "string") throw new Error("a port");
  return { origin: `http://127.0.0.1:${address.port}`, server: listening };
}

const walletFile = () => join(folder, "wallet");

function open(clock = { nowMs: () => Date.now() }): ProgramWallet {
  return openProgramWallet({
    file: walletFile(),
    clock,
    provider: provider.origin,
    onFault: (error) => {
      throw error;
    },
  });
}

async function openFunded(): Promise<ProgramWallet> {
  const opened = open();
  await opened.wallet.create({ kind: "ui", type: "createWallet" });
  const { topUpId } = await opened.wallet.topUp({ kind: "ui", type: "topUp", amount: micros(TOP_UP) });
  await approveTopUp(provider, topUpId, TOP_UP);
  await opened.wallet.refreshTopUps();
  return opened;
}

const buy = (path: string, max = PRICE, init?: RequestInit) =>
  createPayingFetch(program, { max: micros(max) })(`${site.origin}${path}`, init);

async function balance(): Promise<bigint> {
  return BigInt((await program.wallet.snapshot()).balance.total);
}

const earned = () => provider.provider.deps.ledger.balance(merchantAccount(MERCHANT));

describe("fetch with a wallet", () => {
  it("pays what a site asks for, and the merchant has it", async () => {
    const before = await earned();
    const response = await buy("/forecast/monday");
    expect([response.status, await response.text()]).toEqual([200, "Rain on monday."]);
    expect(await earned()).toBe(before + PRICE);
    expect(await balance()).toBe(TOP_UP - PRICE);
  });

  it("fetches what was bought before without paying again, also with a wallet that was closed since", async () => {
    await buy("/forecast/monday");
    await program.close();
    program = open();
    expect(await (await buy("/forecast/monday", 0n)).text()).toBe("Rain on monday.");
    expect([await balance(), served]).toEqual([TOP_UP - PRICE, 2]);
  });

  it("pays nothing where nothing is asked, and nothing that costs more than was allowed", async () => {
    expect(await (await buy("/free")).text()).toBe("Look out of the window.");
    await expect(buy("/forecast/monday", PRICE - 1_000n)).rejects.toThrow(PriceTooHighError);
    expect([await balance(), served]).toEqual([TOP_UP, 0]);
    // Nobody was asked, so that nothing is refused afterwards either.
    expect((await buy("/forecast/monday")).status).toBe(200);
  });

  it("sends the body again with the payment, and with the receipt, however short the address is", async () => {
    const init = { method: "POST", body: "Why?", headers: { "content-type": "text/plain" } };
    expect(await (await buy("/ask", PRICE, init)).text()).toBe("You asked: Why?");
    expect(await (await buy("/ask", 0n, init)).text()).toBe("You asked: Why?");
    expect(await balance()).toBe(TOP_UP - PRICE);
  });

  it("pays for several things at once, each for itself", async () => {
    const days = ["monday", "tuesday", "wednesday", "thursday", "friday"];
    const answers = await Promise.all(days.map(async (day) => (await buy(`/forecast/${day}`)).text()));
    expect(answers).toEqual(days.map((day) => `Rain on ${day}.`));
    expect(await balance()).toBe(TOP_UP - 5n * PRICE);
  });

  it("follows a redirect and pays where it ends", async () => {
    expect(await (await buy("/moved")).text()).toBe("Rain on tuesday.");
  });

  it("pays once where the site's answer is lost", async () => {
    let lost = 0;
    between = (request, response, next) => {
      if (request.headers["payment-signature"] === undefined || lost > 0) return next();
      lost += 1;
      // The site is paid, and then the connection is gone.
      response.on("finish", () => undefined);
      response.end = () => {
        response.destroy();
        return response;
      };
      next();
    };
    expect(await (await buy("/forecast/monday")).text()).toBe("Rain on monday.");
    expect([await balance(), lost]).toEqual([TOP_UP - PRICE, 1]);
  });

  it("says so where a site takes the payment and gives nothing, and has the money where the site did nothing with it", async () => {
    between = (request, response, next) =>
      request.headers["payment-signature"] === undefined ? next() : void response.status(402).end();
    await expect(buy("/forecast/monday")).rejects.toThrow(expect.objectContaining({ code: "site_failed" }));
    const { balance: held } = await program.wallet.snapshot();
    expect(BigInt(held.total) + BigInt(held.inFlight)).toBe(TOP_UP);
  });

  it("does not pay a site that is not the merchant's, nor for another address than the one that was asked", async () => {
    between = (_request, response) => {
      const offer = {
        x402Version: 2,
        resource: { url: "https://elsewhere.example/x" },
        accepts: [
          {
            scheme: "exact",
            network: "tuppence:usd",
            asset: "USD",
            amount: "50000",
            payTo: MERCHANT,
            maxTimeoutSeconds: 60,
            extra: { provider: provider.origin, kind: "article", title: "x" },
          },
        ],
      };
      response
        .status(402)
        .set("PAYMENT-REQUIRED", Buffer.from(JSON.stringify(offer)).toString("base64"))
        .end();
    };
    await expect(buy("/forecast/monday")).rejects.toThrow(
      expect.objectContaining({ code: "resource_mismatch" }),
    );
    between = (_request, response) => void response.status(402).set("PAYMENT-REQUIRED", "nonsense").end();
    expect((await buy("/forecast/monday")).status).toBe(402);
    expect(await balance()).toBe(TOP_UP);
  });

  it("is kept to its limit by the wallet, too: whatever was read of the offer before", async () => {
    const refused = await fetch(`${site.origin}/forecast/monday`);
    const offer = JSON.parse(Buffer.from(refused.headers.get("payment-required") ?? "", "base64").toString());
    const paying = program.pay(offer, `${site.origin}/forecast/monday`, micros(PRICE - 1_000n));
    await expect(paying).rejects.toThrow(expect.objectContaining({ code: "declined" }));
    expect(await balance()).toBe(TOP_UP);
  });

  it("hands no payment over that an allowance made, where it is of more than was allowed", async () => {
    await buy("/forecast/sunday");
    await program.wallet.setAllowance({
      kind: "ui",
      type: "setAllowance",
      origin: site.origin,
      perPayment: null,
      perDay: null,
      perMonth: micros(TOP_UP),
    });
    const refused = await fetch(`${site.origin}/forecast/monday`);
    const offer = JSON.parse(Buffer.from(refused.headers.get("payment-required") ?? "", "base64").toString());
    // The first price is of another currency, and low.
    offer.accepts.unshift({ ...offer.accepts[0], network: "tuppence:eur", asset: "EUR", amount: "1000" });
    between = (request, response, next) => {
      if (request.headers["payment-signature"] !== undefined) return next();
      const header = Buffer.from(JSON.stringify(offer)).toString("base64");
      response.status(402).set("PAYMENT-REQUIRED", header).end();
    };
    await expect(buy("/forecast/monday", 1_000n)).rejects.toThrow(
      expect.objectContaining({ code: "declined" }),
    );
    expect(servedDays).toEqual(["sunday"]);
    between = (_request, _response, next) => next();
    expect((await buy("/forecast/tuesday")).status).toBe(200);
  });

  it("comes with the receipt of a payment that an earlier program made, also where it learns of it only when about to pay", async () => {
    await buy("/forecast/learnt");
    const before = await earned();
    let isKnown = false;
    const late: ProgramWallet = {
      ...program,
      bought: async (...of) => {
        const found = isKnown ? await program.bought(...of) : undefined;
        isKnown = true;
        return found;
      },
    };
    const answer = await createPayingFetch(late, { max: micros(PRICE) })(`${site.origin}/forecast/learnt`);
    expect(answer.status).toBe(200);
    expect(await earned()).toBe(before);
  });

  it("says that it was bought before where the site does not take the receipt, and pays nothing twice", async () => {
    await buy("/forecast/monday");
    between = (request, _response, next) => {
      delete request.headers["payment-receipt"];
      next();
    };
    await expect(buy("/forecast/monday")).rejects.toThrow(AlreadyBoughtError);
    expect([await balance(), served]).toEqual([TOP_UP - PRICE, 1]);
  });

  it("carries nothing to another site that the first one leads to", async () => {
    const seen: unknown[] = [];
    const elsewhere = express().use((request, response) => {
      seen.push(request.headers.authorization);
      response.status(402).set("PAYMENT-REQUIRED", Buffer.from("{}").toString("base64")).end();
    });
    const other = await listen(elsewhere);
    between = (_request, response) => response.redirect(`${other.origin}/forecast/monday`);
    const headers = { authorization: "Bearer of-the-first-site" };
    expect((await buy("/forecast/monday", PRICE, { headers })).status).toBe(402);
    expect(seen).toEqual([undefined]);
    expect(await balance()).toBe(TOP_UP);
    await new Promise((resolve) => other.server.close(resolve));
  });

  it("brings what the site answers to a payment, whatever it is, and ends where it is told to", async () => {
    between = (request, response, next) =>
      request.headers["payment-signature"] === undefined ? next() : void response.status(404).send("Gone.");
    const response = await buy("/forecast/monday");
    expect([response.status, await response.text()]).toEqual([404, "Gone."]);
    await expect(buy("/forecast/tuesday", PRICE, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });

  it("says that there is not enough, and asks nobody", async () => {
    for (let day = 1; day <= 40; day++) await buy(`/forecast/${day}`);
    expect(await balance()).toBe(0n);
    for (let time = 1; time <= 4; time++)
      await expect(buy("/forecast/41")).rejects.toThrow(
        expect.objectContaining({ code: "insufficient_balance" }),
      );
  });
});

describe("on the command line", () => {
  let printed: string[];
  let noted: string[];
  let written: string;
  beforeEach(async () => {
    await program.close();
    [printed, noted, written] = [[], [], ""];
  });
  const deps = {
    fetch,
    now: Date.now,
    print: (line: string) => void printed.push(line),
    note: (line: string) => void noted.push(line),
    write: (bytes: Uint8Array) => {
      written += new TextDecoder().decode(bytes);
    },
  };
  const wallet = (...args: string[]) => runWallet([...args, "--wallet", walletFile()], deps);
  const fetchIt = (...args: string[]) => runFetch([...args, "--wallet", walletFile()], deps);

  it("fetches, pays, and writes what came to the output and what it cost beside it", async () => {
    expect(await fetchIt(`${site.origin}/forecast/monday`, "--max", "5¢")).toBe(true);
    expect([written, noted, printed]).toEqual(["Rain on monday.", ["paid $0.05"], []]);
    expect(await wallet()).toBe(true);
    expect(printed[0]).toMatch(/^\$1\.95 at http:.*, which is play money; \$[0-9.]+ of it in coins$/);
  });

  it("leaves a file as it is where nothing came for it, and pays for none that cannot be written", async () => {
    const file = join(folder, "forecast.txt");
    writeFileSync(file, "Yesterday's.");
    const monday = `${site.origin}/forecast/monday`;
    await expect(fetchIt(monday, "--max", "1¢", "--output", file)).rejects.toThrow(CommandError);
    expect(readFileSync(file, "utf8")).toBe("Yesterday's.");
    const nowhere = join(folder, "none", "x");
    await expect(fetchIt(monday, "--max", "5¢", "--output", nowhere)).rejects.toThrow(
      /cannot be written.*Nothing was paid/,
    );
    expect(served).toBe(0);
    expect(await fetchIt(monday, "--max", "5¢", "--output", file)).toBe(true);
    expect(readFileSync(file, "utf8")).toBe("Rain on monday.");
  });

  it("makes a wallet, prints its phrase, and waits at the checkout until it is paid", async () => {
    const file = join(folder, "new", "wallet");
    const own = (...args: string[]) => runWallet([...args, "--wallet", file], deps);
    await expect(own()).rejects.toThrow("There is no wallet yet");
    expect(await own("--provider", provider.origin, "--phrase")).toBe(true);
    expect(printed[0]?.split(" ")).toHaveLength(12);
    const paying = own("--top-up", "$5");
    const checkout = () => printed.find((line) => line.startsWith("Pay here"));
    await expect.poll(checkout, { timeout: WAIT_MS }).toBeDefined();
    const [topUpId = ""] = /[0-9a-f]{32}/.exec(checkout() ?? "") ?? [];
    await approveTopUp(provider, topUpId, 5_000_000n);
    expect(await paying).toBe(true);
    expect(printed.at(-1)).toContain("$5.00 at ");
  });

  it("does not have somebody top up a wallet that cannot pay there, but says whose page it is", async () => {
    const other = await startTestProvider({ TUPPENCE_MODE: "test" });
    try {
      const file = join(folder, "of-test-mode");
      expect(await runWallet(["--provider", other.origin, "--wallet", file], deps)).toBe(true);
      const ended = runFetch([`${site.origin}/forecast/x`, "--max", "5¢", "--wallet", file], deps);
      await expect(ended).rejects.toThrow(CommandError);
      await expect(ended).rejects.toThrow(
        `This wallet is at ${other.origin}, and the site is paid through ${provider.origin}. Nothing was paid. Name a wallet of that provider: --wallet FILE.`,
      );
      expect(served).toBe(0);
    } finally {
      await other.close();
    }
  });

  it("says in a sentence what is wrong", async () => {
    for (const [args, sentence] of [
      [["nowhere", "--max", "5¢"], /^nowhere is not an address\.$/],
      [[`${site.origin}/forecast/x`], /^--max is missing/],
      [[`${site.origin}/forecast/x`, "--max", "much"], /^--max much is no amount/],
      [
        [`${site.origin}/forecast/x`, "--max", "1¢"],
        /^It costs 5¢; at most 1¢ was allowed\. Nothing was paid\.$/,
      ],
    ] as const) {
      const ended = fetchIt(...args);
      await expect(ended).rejects.toThrow(CommandError);
      await expect(ended).rejects.toThrow(sentence);
    }
    await expect(wallet("--provider", "http://127.0.0.1:1")).rejects.toThrow(/^This wallet is at /);
    program = open();
    await expect(wallet()).rejects.toThrow(/is in use by another program\.$/);
  });
});

it(
  "loses nothing and pays nothing twice, killed again and again while it pays",
  async () => {
    await program.close();
    const before = await earned();
    const KILLS = 10;
    for (let kill = 0; kill < KILLS; kill++) {
      const args = ["test/support/paying-program.ts", walletFile(), provider.origin, site.origin];
      const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
      const exited = once(child, "exit");
      // At another step of another payment each time.
      for (let begun = 0; begun <= kill % 3; begun++) await once(child.stdout, "data");
      await new Promise((resolve) => setTimeout(resolve, kill * 23));
      child.kill("SIGKILL");
      // Nothing else ended it.
      expect(await exited).toEqual([null, "SIGKILL"]);
    }
    // What the site never settled comes back when it has expired. Last in this file, because it turns the provider's clock.
    provider.clock.ahead = 600_000;
    program = open({ nowMs: () => Date.now() + provider.clock.ahead });
    await expect
      .poll(
        async () => {
          await program.resume(1_000);
          const { total, inFlight } = (await program.wallet.snapshot()).balance;
          return [BigInt(inFlight), BigInt(total) + (await earned()) - before];
        },
        { timeout: WAIT_MS },
      )
      .toEqual([0n, TOP_UP]);
    // Each program began at the first day again: what was bought has cost once.
    const { payments } = await program.wallet.exportHistory({ kind: "ui", type: "exportHistory" });
    const bought = payments.filter(({ state }) => state === "paid").map(({ resource }) => resource);
    expect(bought.length, "something was paid at all").toBeGreaterThan(0);
    expect(new Set(bought).size).toBe(bought.length);
    expect((await earned()) - before).toBe(BigInt(bought.length) * PRICE);
    for (const day of new Set(servedDays)) expect(bought).toContain(`${site.origin}/forecast/${day}`);
  },
  KILLED_MS,
);
