/** Every endpoint that the application describes, and no other: a route without a genuine request stops the run. */
import { makeTarget, type Part, type See, type Target } from "../target.ts";
import { accountEndpoints, operatorEndpoints } from "./accounts.ts";
import { coinEndpoints } from "./coins.ts";
import { dashboardEndpoints } from "./dashboard.ts";
import type { Endpoint, Genuine } from "./genuine.ts";
import { type HttpInput, httpInputs, judgeAnswer, makeRequest } from "./http.ts";
import { paymentEndpoints } from "./payments.ts";
import { openTestMode } from "./test-mode.ts";
import { webhookEndpoints } from "./webhooks.ts";
import { openWorld, type World } from "./world.ts";

const FRESH_MILLISECONDS = 20_000;
const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/** @param select which of the endpoints, by their routes */
export async function openEndpoints(select: (route: string) => boolean): Promise<Part> {
  const world = await openWorld();
  const endpoints = [
    ...coinEndpoints(world),
    ...paymentEndpoints(world),
    ...accountEndpoints(world),
    ...operatorEndpoints(world),
    ...dashboardEndpoints(world),
    ...webhookEndpoints(world),
  ];
  const testMode = await openTestMode();
  const all = [
    ...endpoints.map((endpoint) => [world, endpoint] as const),
    ...testMode.endpoints.map((endpoint) => [testMode.world, endpoint] as const),
  ];
  const routes = [world, testMode.world].flatMap(describedRoutes);
  refuseForgotten(
    all.map(([, endpoint]) => endpoint),
    routes,
  );
  return {
    targets: all
      .filter(([, { route }]) => select(route))
      .map(([of, endpoint]) => endpointTarget(of, endpoint)),
    async afterRound() {
      await world.audit();
      await testMode.world.audit();
    },
    async close() {
      await world.close();
      await testMode.close();
    },
  };
}

function describedRoutes({ shop }: World): string[] {
  return Object.entries(shop.app.swagger().paths ?? {}).flatMap(([path, operations]) =>
    METHODS.filter((method) => Object.hasOwn(operations ?? {}, method)).map(
      (method) => `${method.toUpperCase()} ${path}`,
    ),
  );
}

function refuseForgotten(endpoints: readonly Endpoint[], routes: readonly string[]): void {
  const known = new Set(endpoints.map(({ route }) => route));
  const forgotten = routes.filter((route) => !known.has(route));
  const gone = [...known].filter((route) => !routes.includes(route));
  if (forgotten.length > 0)
    throw new Error(`no genuine request is made for ${forgotten.join(", ")}: add it in test/fuzz/provider/`);
  if (gone.length > 0) throw new Error(`the application has no ${gone.join(", ")} any more`);
}

function endpointTarget(world: World, endpoint: Endpoint): Target {
  const { route, kinds, weight = 1, readsOnly } = endpoint;
  const kept = new Map<string, { readonly genuine: Genuine; readonly at: number }>();
  const names = Object.keys(kinds);
  let last = { version: undefined as unknown, balances: "" };

  /** Nothing was written meanwhile: they are what they were. */
  async function balancesAt(version: unknown): Promise<string> {
    if (last.version !== version) last = { version, balances: await world.balances() };
    return last.balances;
  }

  /** Proofs and refunds have their time, and some requests let the clock go on. */
  async function genuineOf(name: string): Promise<Genuine> {
    const known = kept.get(name);
    if (known && world.shop.clock.now - known.at < FRESH_MILLISECONDS) return known.genuine;
    const genuine = await kinds[name]?.();
    if (!genuine) throw new Error(`${route} has no kinds`);
    kept.set(name, { genuine, at: world.shop.clock.now });
    return genuine;
  }

  async function check(input: HttpInput, see: See): Promise<void> {
    const name = names[input.kind % names.length] ?? "";
    const genuine = await genuineOf(name);
    const request = await makeRequest(world, genuine, input);
    const version = world.version();
    const before = await balancesAt(version);
    const answer = await inject(world, request);
    const bugs = world.takeLog();
    if (bugs.length > 0) throw new Error(`logged a fault: ${bugs.join("\n").slice(0, 2_000)}`);
    const { seen, succeeded } = judgeAnswer(request, answer);
    see(seen);
    if (world.version() === version) return;
    kept.delete(name);
    const moved = (await world.balances()) !== before;
    if (moved && (!succeeded || readsOnly)) throw new Error(`answered ${seen}, and money moved`);
  }

  return makeTarget(route, weight, httpInputs(route.startsWith("POST")), check);
}

async function inject({ shop }: World, { method, url, headers, body }: ReturnTypeOf<typeof makeRequest>) {
  const answer = await shop.app.inject({
    method: method as "GET",
    url,
    headers,
    ...(body === undefined ? {} : { payload: body }),
  });
  return { status: answer.statusCode, type: `${answer.headers["content-type"] ?? ""}`, body: answer.body };
}

type ReturnTypeOf<F extends (...given: never[]) => Promise<unknown>> = Awaited<ReturnType<F>>;
