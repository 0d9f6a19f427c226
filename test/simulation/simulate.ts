/** One run: a world from a seed, its faults, then rest, then the invariants. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settleAll } from "../../server/settlement/index.ts";
import { finalizeTopUps } from "../../server/topups/index.ts";
import { type Browser, openBrowser } from "./browser.ts";
import type { Coverage } from "./coverage.ts";
import { useWorld } from "./environment.ts";
import { drawFaults } from "./faults.ts";
import { openGateway } from "./gateway.ts";
import { checkInvariants, openWork } from "./invariants.ts";
import { createNetwork } from "./network.ts";
import { type Aims, observe, Violation } from "./observer.ts";
import { ACCOUNTS_ORIGIN, ORIGIN, type ProviderMachine, setUpProvider } from "./provider.ts";
import { seededRandom } from "./random.ts";
import { playReader, type Reader } from "./reader.ts";
import { openShop, type Shop } from "./shop.ts";
import { createWorld, type World } from "./world.ts";

const MINUTE_MS = 60_000;
const HORIZONS_MS = [4 * MINUTE_MS, 90 * MINUTE_MS, 3 * 1_440 * MINUTE_MS];
const SKEWS_MS = [0, 0, 0, 30_000, -45_000, 400_000, -4_000_000];
const AHEAD_MS = 30_000;
/** How long everything gets, after the faults are over, to come to rest. */
const REST_ROUNDS = 12;
const REST_ROUND_MS = 15 * MINUTE_MS;
/** Longer than any refund window and any held payout. */
const MATURE_MS = 9 * 1_440 * MINUTE_MS;

export interface RunResult {
  readonly seed: number;
  /** Undefined where every invariant held. */
  readonly violation: string | undefined;
  readonly traceHash: string;
  readonly tail: readonly string[];
  readonly events: number;
  readonly coverage: Coverage;
}

export async function simulate(seed: number, print?: (line: string) => void): Promise<RunResult> {
  const world = createWorld(seed, drawFaults(seed), print);
  let aims: Aims | undefined;
  const observer = observe(world, {
    step: (browser) => aims?.step(browser),
    refundArrives: () => aims?.refundArrives(),
  });
  const folder = mkdtempSync(join(memoryFolder(), "tuppence-simulation-"));
  let violation: string | undefined;
  let provider: ProviderMachine | undefined;
  const release = useWorld(world);
  try {
    provider = await setUpProvider(world, folder, observer.provider);
    observer.watchLedger(provider.truth);
    const parts = await setUp(world, provider, observer);
    aims = takeAim(world, provider, parts);
    await play(world, provider, parts, observer.broken);
    await bringToRest(world, provider, parts, observer.broken);
    const broken = observer.broken();
    if (broken) throw broken;
    await checkInvariants({ ...parts, deps: provider.truth, observer });
  } catch (error) {
    violation =
      error instanceof Violation
        ? error.message
        : `no bug: ${error instanceof Error ? error.stack : String(error)}`;
  } finally {
    release();
    await provider?.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    seed,
    violation,
    traceHash: world.traceHash(),
    tail: world.tail,
    events: world.events(),
    coverage: observer.coverage,
  };
}

interface Parts {
  readonly browsers: readonly Browser[];
  readonly readers: ReadonlyMap<Browser, Reader>;
  readonly shops: readonly Shop[];
  readonly horizonMs: number;
  readonly waiting: () => number;
}

async function setUp(
  world: World,
  provider: ProviderMachine,
  observer: ReturnType<typeof observe>,
): Promise<Parts> {
  const { random } = world;
  const network = createNetwork(world, observer.network);
  const horizonMs = random.pick(HORIZONS_MS);
  network.hosts.set(ORIGIN, provider.host);
  network.hosts.set(ACCOUNTS_ORIGIN, provider.host);
  const shops: Shop[] = [];
  const { truth } = provider;
  for (let index = 0; index < 1 + random.below(3); index++) {
    const shop = await openShop(world, network, index, truth.secrets.sealingPublicKey, observer.shop);
    network.hosts.set(shop.origin, shop.host);
    await truth.merchants.put(shop.registration);
    shops.push(shop);
  }
  const gateway = openGateway(world, network, truth.secrets.gatewaySecret, horizonMs);
  const browsers: Browser[] = [];
  const readers = new Map<Browser, Reader>();
  for (let index = 0; index < 1 + random.below(3); index++) {
    const browser = openBrowser(world, network, `wallet${index}`, random.pick(SKEWS_MS), {
      ...observer.browser,
      prompts: (browser, approvalId) => readers.get(browser)?.isAsked(approvalId),
    });
    readers.set(
      browser,
      playReader({ world, network, browser, shops, gateway, horizonMs, watch: observer.reader }),
    );
    browsers.push(browser);
  }
  provider.start();
  planOperators(world, provider, horizonMs);
  return { browsers, readers, shops, horizonMs, waiting: gateway.waiting };
}

/** Chance alone seldom hits the few milliseconds in which a payment is judged, committed, or answered. */
function takeAim(world: World, provider: ProviderMachine, { readers }: Parts): Aims {
  const random = seededRandom(world.seed, "aims");
  const { faults } = world;
  return {
    step: (browser) => {
      if (!random.chance(faults.atStep) || faults.areOff) return;
      const fault = random.pick([
        () => browser.kill(false),
        () => browser.kill(true),
        () => provider.kill(),
        () => readers.get(browser)?.clicksAgain(),
      ]);
      world.after(random.below(4), "something happens at a payment's step", fault);
    },
    // The one whose clock is ahead closes a window in which the other still gives money back.
    refundArrives: () => {
      if (!random.chance(0.8) || faults.areOff) return;
      world.after(random.below(8), "an operator settles beside a refund", () =>
        settle(provider, random.pick([0, AHEAD_MS, AHEAD_MS])),
      );
    },
  };
}

function settle(provider: ProviderMachine, skewMs: number): void {
  provider.command("operator", skewMs, async (deps) => {
    await settleAll(deps, { now: deps.now() });
  });
}

/** Commands at random times, sometimes two at once, and what the server's own jobs do. */
function planOperators(world: World, provider: ProviderMachine, horizonMs: number): void {
  const random = seededRandom(world.seed, "operators");
  const settles = random.below(6);
  for (let index = 0; index < settles; index++) {
    const at = random.below(horizonMs);
    for (let operator = 0; operator < 1 + random.below(2); operator++) {
      const skewMs = random.pick([0, 0, 20_000, -300_000]);
      world.after(at + random.below(10), "an operator settles", () => settle(provider, skewMs));
    }
  }
  for (let index = 0; index < 3; index++)
    world.after(random.below(horizonMs), "top-ups become final", () =>
      provider.command("finalizer", 0, (deps) => finalizeTopUps(deps)),
    );
}

async function play(
  world: World,
  provider: ProviderMachine,
  parts: Parts,
  broken: () => unknown,
): Promise<void> {
  void provider;
  const end = world.nowMs() + parts.horizonMs;
  let isOver = false;
  world.after(parts.horizonMs, "the faults end", () => {
    isOver = true;
  });
  await world.run(() => isOver || broken() !== undefined || world.nowMs() > end);
}

/** Faults are off; whoever is down comes up; wallets resume until nothing is left to do. */
async function bringToRest(
  world: World,
  provider: ProviderMachine,
  parts: Parts,
  broken: () => unknown,
): Promise<void> {
  world.faults.areOff = true;
  const passes = async (milliseconds: number): Promise<void> => {
    const end = world.nowMs() + milliseconds;
    let isOver = false;
    world.after(milliseconds, "time passes", () => {
      isOver = true;
    });
    await world.run(() => isOver || broken() !== undefined || world.nowMs() > end);
  };
  for (let round = 0; round < REST_ROUNDS; round++) {
    world.after(0, "everything comes up", () => {
      provider.start();
      for (const browser of parts.browsers) browser.start();
    });
    await passes(REST_ROUND_MS);
    if ((await workLeft(parts)) === 0) break;
    world.after(0, "wallets resume", () => {
      for (const browser of parts.browsers) void browser.resume();
    });
  }
  await passes(MATURE_MS);
  world.after(0, "the last settlement", () =>
    provider.command("operator", 0, async (deps) => {
      await finalizeTopUps(deps);
      await settleAll(deps, { now: deps.now() });
    }),
  );
  await passes(MINUTE_MS);
}

async function workLeft({ browsers, waiting }: Parts): Promise<number> {
  const open = await Promise.all(browsers.map(openWork));
  return open.flat().length + waiting();
}

/** A file system in memory where there is one: what is stored has to outlive a process, not a power cut. */
function memoryFolder(): string {
  return existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
}
