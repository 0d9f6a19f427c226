/**
 * The network between everyone: a request can get lost, come twice, come late, and so can its answer, which can also be
 * cut in the middle or be replaced by a gateway's page. Who sent it learns no more than a browser's `fetch` would.
 */
import { createHash } from "node:crypto";
import { callOffTimeout } from "./environment.ts";
import { type Random, seededRandom } from "./random.ts";
import type { Process, World } from "./world.ts";

export interface SimulatedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface SimulatedAnswer {
  readonly status: number;
  readonly text: string;
  /** The connection broke after this much of it. */
  readonly isCut: boolean;
}

/** Whoever stands behind an origin. Undefined: nobody listens there at the moment. */
export interface Host {
  /** Never resolves if the host dies meanwhile. */
  handle(request: SimulatedRequest): Promise<SimulatedAnswer>;
  readonly process: Process;
}

/** What watches the network, to count faults and compare answers; it changes nothing. */
export interface NetworkWatch {
  sent(request: SimulatedRequest): void;
  /** `isAgain`: it has arrived before. */
  arrives(request: SimulatedRequest, isAgain: boolean): void;
  answers(request: SimulatedRequest, answer: SimulatedAnswer): void;
  requestLost(request: SimulatedRequest): void;
  answerLost(request: SimulatedRequest): void;
  /** A gateway in between answered; `hasArrived` says whether the host saw the request. */
  gatewayAnswers(request: SimulatedRequest, hasArrived: boolean): void;
  delivered(request: SimulatedRequest, answer: SimulatedAnswer): void;
}

export interface Network {
  /** @throws TypeError as `fetch` does */
  send(from: Process, request: SimulatedRequest, signal?: AbortSignal): Promise<SimulatedAnswer>;
  readonly hosts: Map<string, () => Host | undefined>;
}

const REFUSED_AFTER_MS = 20;
const LATEST_MS = 400_000;

export function createNetwork(world: World, watch: NetworkWatch): Network {
  const random = seededRandom(world.seed, "network");
  const hosts = new Map<string, () => Host | undefined>();
  const { faults } = world;
  const happens = (rate: number): boolean => random.chance(rate) && !faults.areOff;

  /** Carries one copy; `answered` hears of its answer, or that the connection broke. */
  const carry = (
    request: SimulatedRequest,
    afterMs: number,
    isAgain: boolean,
    answered: (answer: SimulatedAnswer | undefined, afterMs: number) => void,
  ): void => {
    const { origin, pathname } = new URL(request.url);
    world.after(afterMs, `${request.method} ${pathname} ${digest(request.body)} arrives`, () => {
      const host = hosts.get(origin)?.();
      if (!host) return answered(undefined, REFUSED_AFTER_MS);
      watch.arrives(request, isAgain);
      let isOver = false;
      host.process.onDeath(() => {
        if (!isOver) answered(undefined, transit(random));
        isOver = true;
      });
      void host.handle(request).then((answer) => {
        if (isOver) return;
        isOver = true;
        world.note(`${request.method} ${pathname} → ${answer.status} ${digest(answer.text)}`);
        watch.answers(request, answer);
        answered(answer, transit(random));
      });
    });
  };

  const send: Network["send"] = (from, request, signal) =>
    new Promise((resolve, reject) => {
      let isOver = false;
      const end = (finish: () => void): void => {
        if (isOver) return;
        isOver = true;
        callOffTimeout(signal);
        if (from.isAlive()) finish();
      };
      const broken = () => end(() => reject(new TypeError("fetch failed")));
      const comesBack = (answer: SimulatedAnswer | undefined, afterMs: number): void =>
        world.after(afterMs, `${from.name} hears of ${new URL(request.url).pathname}`, () => {
          if (!answer) return broken();
          end(() => {
            watch.delivered(request, answer);
            resolve(answer);
          });
        });
      signal?.addEventListener("abort", broken);

      watch.sent(request);
      if (happens(faults.requestLost)) {
        watch.requestLost(request);
        // Some losses are noticed at once, of others the caller hears nothing.
        if (random.chance(0.5)) comesBack(undefined, transit(random));
        return;
      }
      if (happens(faults.gatewayAnswers)) {
        watch.gatewayAnswers(request, false);
        return comesBack(gatewayPage(random), transit(random));
      }
      const isLate = happens(faults.requestLate);
      if (happens(faults.requestTwice)) {
        const apart = random.chance(0.5) ? random.below(8) : random.below(60_000);
        carry(request, transit(random) + apart, true, () => undefined);
      }
      const arrival = isLate ? random.below(LATEST_MS) : transit(random);
      carry(request, arrival, false, (answer, afterMs) => {
        if (!answer) return comesBack(undefined, afterMs);
        if (happens(faults.answerLost)) {
          watch.answerLost(request);
          if (random.chance(0.5)) comesBack(undefined, afterMs);
          return;
        }
        if (happens(faults.answerCut)) {
          watch.answerLost(request);
          const text = answer.text.slice(0, random.below(answer.text.length));
          return comesBack({ ...answer, text, isCut: random.chance(0.5) }, afterMs);
        }
        if (happens(faults.gatewayAnswers)) {
          watch.gatewayAnswers(request, true);
          return comesBack(gatewayPage(random), afterMs);
        }
        comesBack(answer, afterMs);
      });
    });

  return { send, hosts };
}

function transit(random: Random): number {
  return random.chance(0.9) ? 1 + random.below(40) : random.below(3_000);
}

/** What stands between says so in its own words, some of them in the provider's form. */
function gatewayPage(random: Random): SimulatedAnswer {
  const status = random.pick([500, 502, 503, 504, 200]);
  const isProblem = status === 503 && random.chance(0.5);
  const text = isProblem
    ? JSON.stringify({ type: "urn:tuppence:error:overloaded", title: "busy", status, code: "overloaded" })
    : `<html><title>${status}</title></html>`;
  return { status, text, isCut: false };
}

function digest(body: string | undefined): string {
  return body === undefined ? "-" : createHash("sha256").update(body).digest("hex").slice(0, 8);
}

/** `fetch` for a process, over this network. */
export function fetchOver(network: Network, process: Process) {
  return async (url: string, init: RequestInit): Promise<Response> => {
    await process.call(`fetch ${new URL(url).pathname}`, () => undefined);
    const answer = await network.send(
      process,
      {
        method: init.method ?? "GET",
        url,
        headers: Object.fromEntries(new Headers(init.headers)),
        body: typeof init.body === "string" ? init.body : undefined,
      },
      init.signal ?? undefined,
    );
    return process.call("answer", () => responseOf(answer));
  };
}

function responseOf({ status, text, isCut }: SimulatedAnswer): Response {
  if (!isCut) return new Response(text, { status });
  const body = new ReadableStream({
    start: (controller) => {
      controller.enqueue(new TextEncoder().encode(text));
      controller.error(new TypeError("terminated"));
    },
  });
  return new Response(body, { status });
}
