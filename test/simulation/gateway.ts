/** The sandbox gateway from outside: what a reader decides at the checkout comes as a signed event, at least once. */
import { type GatewayEvent, signGatewayEvent } from "../../server/gateways/events.ts";
import { micros } from "../../shared/money.ts";
import type { Network } from "./network.ts";
import { ACCOUNTS_ORIGIN } from "./provider.ts";
import { seededRandom } from "./random.ts";
import type { World } from "./world.ts";

const MAX_TRIES = 60;
/** How often a paid top-up is taken back. */
const CHARGEBACK_RATE = 0.08;

export interface Gateway {
  /** The reader stands before the checkout. */
  checkout(topUpId: string, amount: bigint): void;
  /** Events that are not acknowledged yet. */
  waiting(): number;
}

export function openGateway(world: World, network: Network, secret: Uint8Array, horizonMs: number): Gateway {
  const random = seededRandom(world.seed, "gateway");
  const process = world.startProcess("gateway", () => 0);
  let waiting = 0;

  const tell = (type: GatewayEvent["type"], topUpId: string, amount: bigint, afterMs: number): void => {
    waiting++;
    const attempt = async (left: number): Promise<void> => {
      const event = { type, topUpId, amount: micros(amount) };
      const { body, headers } = signGatewayEvent(secret, event, Math.floor(world.nowMs() / 1_000));
      const url = `${ACCOUNTS_ORIGIN}/gateways/sandbox/events`;
      const answer = await network
        .send(process, { method: "POST", url, headers, body }, AbortSignal.timeout(15_000))
        .catch(() => undefined);
      const isAcknowledged =
        answer !== undefined && !answer.isCut && answer.text.startsWith("{") && answer.status < 500;
      if (isAcknowledged || left === 0) waiting--;
      else world.after(5_000, "gateway tries again", () => attempt(left - 1));
    };
    world.after(afterMs, `gateway tells ${type} ${topUpId.slice(0, 8)}`, () => attempt(MAX_TRIES));
  };

  return {
    checkout: (topUpId, amount) => {
      const decisionMs = random.below(30_000);
      const decision = random.fraction();
      if (decision < 0.08) return tell("declined", topUpId, amount, decisionMs);
      if (decision < 0.12) return tell("abandoned", topUpId, amount, decisionMs);
      if (decision < 0.15) return;
      tell("approved", topUpId, amount, decisionMs);
      // Gateways tell again what was acknowledged already, now and then.
      if (random.chance(0.3))
        tell("approved", topUpId, amount, decisionMs + random.below(random.chance(0.5) ? 20 : 100_000));
      if (random.chance(CHARGEBACK_RATE))
        tell("charged_back", topUpId, amount, decisionMs + random.below(horizonMs));
    },
    waiting: () => waiting,
  };
}
