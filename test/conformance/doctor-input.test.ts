/** What the doctor is given to look at, and what it then ends with: addresses that are none, sites that misbehave, its own limits. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { text } from "node:stream/consumers";
import type { RequestHandler } from "express";
import * as v from "valibot";
import { afterEach, describe, expect, it } from "vitest";
import { DoctorReport } from "../../merchant/cli/doctor/report.ts";
import { runDoctor } from "../../merchant/cli/doctor.ts";
import { CommandError } from "../../merchant/cli/problem.ts";
import { PAID, type SiteBreaks, SNIPPET } from "../support/examined-site.ts";
import { before, codesOf, openClinic, TIDES, type Visit } from "./examination.ts";

const { again, closeWallet, look, open, walletFile } = openClinic();

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a port");
  return `http://127.0.0.1:${address.port}`;
}

/** As a person or a build runs it, but for the process. */
async function run(...args: string[]) {
  const printed: string[] = [];
  const deps = { fetch, now: Date.now, write: () => undefined, note: () => undefined };
  const ended = await runDoctor(args, { ...deps, print: (line) => void printed.push(line) }).catch(
    (error: unknown) => {
      if (error instanceof CommandError) return error;
      throw error;
    },
  );
  const isError = ended instanceof CommandError;
  return {
    code: isError ? ended.exitCode : ended ? 0 : 1,
    output: printed.join("\n"),
    errors: isError ? ended.message : "",
  };
}

describe("the command", () => {
  it("ends with 2 and a sentence where there is nothing to look at", async () => {
    const gone = await serve((_request, response) => void response.writeHead(500).end("oh"));
    for (const [args, sentence] of [
      [["paper.example"], "is not an address"],
      [["file:///etc/passwd"], "is not an address"],
      [["https://reader:secret@paper.example/"], "holds no password"],
      [[`${gone}/`], "answered 500"],
      [["http://127.0.0.1:9/"], "cannot be reached"],
      [[`${gone}/`, "--paid-text", "no-such-file"], "cannot be read"],
      [[`${gone}/`, "--wallet", "some-file"], "--max is missing"],
      [[`${gone}/`, "--max", "5¢"], "for a --wallet"],
      [[`${gone}/`, "--nonsense"], "--help says what there is"],
    ] as const) {
      const { code, output, errors } = await run(...args);
      expect(errors).toContain(sentence);
      expect(output).toBe("");
      expect(code).toBe(2);
    }
  });

  it("ends the process with what it says", async () => {
    const child = spawn(process.execPath, ["merchant/cli/main.ts", "doctor", "paper.example"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = once(child, "exit");
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(await ended).toEqual([2, null]);
    expect([output, errors]).toEqual([
      "",
      "paper.example is not an address such as https://paper.example/one.html.\n",
    ]);
  });

  it("says it in JSON, too", async () => {
    const gone = await serve((_request, response) => void response.writeHead(404).end());
    const { code, output } = await run(`${gone}/one.html`, "--json");
    const report = v.parse(DoctorReport, JSON.parse(output));
    expect(report).toMatchObject({ outcome: "unchecked", problem: `${gone}/one.html answered 404.` });
    expect(code).toBe(2);
  });

  it("ends with 1 at an error, with 0 at a warning, and with 1 there where it is strict", async () => {
    const { origin } = await open({ headers: () => ({ "cache-control": "max-age=604800" }) });
    expect((await run(`${origin}/one.html`)).code).toBe(0);
    expect((await run(`${origin}/one.html`, "--strict")).code).toBe(1);
    const page = await serve(
      (_request, response) => void response.setHeader("content-type", "text/html").end("<p>Hello"),
    );
    const missing = await run(page);
    expect(missing.output).toContain("There is no paywall in the page.");
    expect(missing.code).toBe(1);
  });
});

describe("a site that misbehaves", () => {
  const at = (does: RequestHandler): SiteBreaks => ({ between: before("/one.html", does) });
  const SOON = { requestMs: 300 };

  it.each<[string, RequestHandler, RegExp, Visit["limits"]?]>([
    ["does not answer", () => undefined, /did not answer within 0.3 s/, SOON],
    [
      "begins, and goes no further",
      (_request, response) => void response.type("html").write("<p>"),
      /did not answer within 0.3 s/,
      SOON,
    ],
    ["hangs up", (request) => void request.socket.destroy(), /cannot be reached/],
    [
      "redirects in a circle",
      (_request, response) => response.redirect("/one.html"),
      /redirects again and again/,
    ],
    [
      "redirects to another site",
      (_request, response) => response.redirect("http://elsewhere.example/"),
      /is another site/,
    ],
    [
      "redirects to what is no address",
      (_request, response) => void response.status(302).set("location", "http://").end(),
      /is no address/,
    ],
    [
      "sends a picture",
      (_request, response) => void response.type("png").send(Buffer.from([1, 2, 3])),
      /is no page/,
    ],
    [
      "calls a picture a page",
      (_request, response) => void response.type("html").send(Buffer.from([60, 0, 3])),
      /is no page/,
    ],
  ])("is not taken for one in order: it %s", async (_name, does, problem, limits = {}) => {
    const report = await look(at(does), { limits });
    expect(report.outcome).toBe("unchecked");
    expect(report.problem).toMatch(problem);
  });

  it("with a body that has no end is looked at as far as the limit", async () => {
    const report = await look(
      at((_request, response) => {
        response.type("html");
        const more = () => {
          while (!response.closed && response.write("<p>And so on, and so on.</p>".repeat(100)));
        };
        response.on("drain", more);
        more();
      }),
      { limits: { bodyBytes: 100_000 } },
    );
    expect(codesOf(report)).toEqual(["page-too-large", "paywall-missing"]);
  });

  it("with elements in each other without number breaks nothing", async () => {
    const report = await look(
      { page: (html) => html.replace("<body>", `<body>${"<div>".repeat(20_000)}`) },
      { paidText: PAID },
    );
    expect(report.findings).toEqual([]);
  });

  it("gets no more requests than the limit, and what was not looked at is said", async () => {
    let count = 0;
    const report = await look(
      {
        between: () => (_request, _response, next) => {
          count += 1;
          next();
        },
      },
      { limits: { requests: 5 }, paidText: PAID },
    );
    expect(count).toBe(5);
    expect(report.leftOut.map(({ why }) => why)).toContain("the doctor's limit of requests was reached");
  });

  it("does not lead the doctor from the public network into a private one", async () => {
    const breaks = {
      publicOrigin: "https://paper.example",
      ...at((_request, response) => response.redirect("https://www.paper.example/one.html")),
    };
    const lookup = (host: string) => (host.startsWith("www.") ? "10.0.0.7" : "93.184.216.34");
    const report = await look(breaks, { lookup });
    expect(report).toMatchObject({
      outcome: "unchecked",
      problem: "https://www.paper.example is in a private network.",
    });
    // In one's own network the same is nobody else's business.
    const own = await again({ lookup: (host) => (host.startsWith("www.") ? "10.0.0.7" : "10.0.0.8") });
    expect(own.problem).not.toContain("private");
  });
});

describe("a wallet's file", () => {
  it("pays out of a wallet's file, and prints neither receipts nor more than a few words of what it bought", async () => {
    await closeWallet();
    const { origin } = await open({
      between: () => (request, response, next) =>
        request.path === "/feed" ? void response.type("xml").send(`<rss><item>${PAID}</item></rss>`) : next(),
    });
    const snippet = `${walletFile()}.js`;
    writeFileSync(snippet, SNIPPET);
    const args = [origin + TIDES.path, "--wallet", walletFile(), "--max", "10.1¢", "--snippet", snippet];
    const { code, output, errors } = await run(...args, "--json");
    expect(errors).toBe("");
    const report = v.parse(DoctorReport, JSON.parse(output));
    expect(report.findings).toMatchObject([
      { code: "paid-text-leaks", visitor: "feed", seen: "“the wheel turns when the pond…”" },
    ]);
    expect(code).toBe(1);
    // A compact JWS, a payment's header, a run of the paid text.
    expect(output).not.toMatch(/eyJ[\w-]{20}/);
    expect(output.toLowerCase()).not.toContain("fuller than the river");
    const people = await run(...args);
    expect(people.output).toContain("paid-text-leaks");
    expect(people.output).not.toContain("\u001b[");
    expect(people.output).not.toMatch(/eyJ[\w-]{20}/);
  });
});
