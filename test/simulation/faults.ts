/**
 * What may go wrong, and how often. Each seed draws its own rates, many of them zero ("swarm testing"): a run in which
 * everything fails all the time never gets far enough to fail in an interesting place.
 */
import { seededRandom } from "./random.ts";

export interface Faults {
  /** Set when the run is to come to rest: nothing goes wrong any more. */
  areOff: boolean;
  /** Per call of the process. */
  readonly walletDies: number;
  readonly providerDies: number;
  readonly operatorDies: number;
  /** When a wallet dies: its whole browser is gone for long, tabs and all. */
  readonly browserEnds: number;
  /** Each time that a payment takes a step: something happens to it at once. */
  readonly atStep: number;
  /** Per message. */
  readonly requestLost: number;
  readonly answerLost: number;
  readonly answerCut: number;
  readonly requestTwice: number;
  /** Arrives when the one who sent it has long given up. */
  readonly requestLate: number;
  /** Something in between answers: a gateway's page, with or without having passed the request on. */
  readonly gatewayAnswers: number;
  /** Per call of the provider to its database. */
  readonly databaseFails: number;
  readonly databaseStalls: number;
  /** Per group: others are before it, so that what it was judged by may have changed. */
  readonly ledgerIsBusy: number;
}

export function drawFaults(seed: number): Faults {
  const random = seededRandom(seed, "faults");
  const rate = (...rates: number[]): number => (random.chance(0.4) ? 0 : random.pick(rates));
  return {
    areOff: false,
    walletDies: rate(0.002, 0.006, 0.02),
    providerDies: rate(0.0005, 0.002, 0.005),
    operatorDies: rate(0.01, 0.05),
    browserEnds: rate(0.1, 0.3, 0.8),
    atStep: rate(0.05, 0.2),
    requestLost: rate(0.02, 0.1, 0.3),
    answerLost: rate(0.02, 0.1, 0.3),
    answerCut: rate(0.02, 0.1),
    requestTwice: rate(0.05, 0.2, 0.5),
    requestLate: rate(0.02, 0.1),
    gatewayAnswers: rate(0.02, 0.1, 0.2),
    databaseFails: rate(0.001, 0.01),
    databaseStalls: rate(0.002, 0.01),
    ledgerIsBusy: rate(0.2, 0.8),
  };
}
