import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readySnapshot } from "../fixtures/snapshots.ts";
import { type ConnectionPorts, followWallet, UNHEARD_AFTER_MS } from "./connection.ts";

const NOW = Date.UTC(2026, 10, 23, 12);

const PAUSES_MS = [0, 100, 400, 1_000];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("followWallet", () => {
  it("does not show a snapshot that does not decode", () => {
    const background = fakeBackground();
    const { snapshot } = followWallet(background.ports);
    background.send({ state: "ready", balance: { total: "1.5" } });
    expect(snapshot.value).toBeUndefined();
    background.send(readySnapshot(NOW));
    expect(snapshot.value?.balance.total).toBe(4_950_000n);
  });

  it("does not stay with an old balance after the worker was killed", () => {
    const background = fakeBackground();
    const { snapshot, silent } = followWallet(background.ports);
    background.send(readySnapshot(NOW));
    background.die();
    vi.advanceTimersByTime(0);
    expect(snapshot.value?.balance.total, "the last one stays meanwhile").toBe(4_950_000n);
    background.send({
      ...readySnapshot(NOW),
      balance: { total: "1000", account: "0", coins: "1000", onItsWay: "0", inFlight: "0", isLow: false },
    });
    expect(snapshot.value?.balance.total).toBe(1_000n);
    expect(silent.value).toBe(false);
  });

  it("does not spin without a pause when nobody answers, and says so", () => {
    const background = fakeBackground();
    const { silent } = followWallet(background.ports);
    for (const pause of PAUSES_MS) {
      background.die();
      vi.advanceTimersByTime(pause);
    }
    expect(background.pauses).toEqual(PAUSES_MS);
    expect(silent.value).toBe(true);
    background.send(readySnapshot(NOW));
    expect(silent.value).toBe(false);
  });

  it("does not wait for ever at a port that opens and says nothing", () => {
    const background = fakeBackground();
    const { snapshot, silent } = followWallet(background.ports);
    vi.advanceTimersByTime(UNHEARD_AFTER_MS - 1);
    expect([background.opened, background.closed]).toEqual([1, 0]);
    vi.advanceTimersByTime(2);
    expect([background.opened, background.closed]).toEqual([2, 1]);
    background.send(readySnapshot(NOW));
    vi.advanceTimersByTime(10 * UNHEARD_AFTER_MS);
    expect([background.opened, background.closed]).toEqual([2, 1]);
    expect(snapshot.value?.balance.total).toBe(4_950_000n);
    expect(silent.value).toBe(false);
  });

  it("does not fall over when the port cannot even be opened", () => {
    const { silent } = followWallet({
      ...fakeBackground().ports,
      connect: () => {
        throw new Error("no receiving end");
      },
    });
    expect(silent.value).toBe(false);
    vi.advanceTimersByTime(PAUSES_MS.reduce((sum, pause) => sum + pause));
    expect(silent.value).toBe(true);
  });
});

function fakeBackground() {
  let onMessage: (message: unknown) => void = () => {};
  let onEnd = () => {};
  const ports: ConnectionPorts = {
    connect(_name, message, end) {
      background.opened += 1;
      onMessage = message;
      onEnd = end;
      return () => {
        background.closed += 1;
      };
    },
    after(milliseconds, run) {
      if (milliseconds !== UNHEARD_AFTER_MS) background.pauses.push(milliseconds);
      setTimeout(run, milliseconds);
    },
  };
  const background = {
    ports,
    pauses: [] as number[],
    opened: 0,
    closed: 0,
    send: (message: unknown) => onMessage(message),
    die: () => onEnd(),
  };
  return background;
}
