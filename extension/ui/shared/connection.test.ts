import { describe, expect, it } from "vitest";
import { readySnapshot } from "../fixtures/snapshots.ts";
import { ATTEMPTS_BEFORE_SILENT, type ConnectionPorts, followWallet } from "./connection.ts";

const NOW = Date.UTC(2026, 10, 23, 12);

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
    for (let attempt = 0; attempt < ATTEMPTS_BEFORE_SILENT; attempt += 1) background.die();
    expect(silent.value).toBe(true);
    expect(background.pauses).toEqual([0, 100, 400, 1_000]);
    background.send(readySnapshot(NOW));
    expect(silent.value).toBe(false);
  });

  it("does not fall over when the port cannot even be opened", () => {
    const pauses: number[] = [];
    const { silent } = followWallet({
      connect: () => {
        throw new Error("no receiving end");
      },
      after: (milliseconds, run) => {
        pauses.push(milliseconds);
        if (pauses.length < ATTEMPTS_BEFORE_SILENT) run();
      },
    });
    expect(silent.value).toBe(true);
    expect(pauses).toEqual([0, 100, 400, 1_000]);
  });
});

function fakeBackground() {
  let onMessage: (message: unknown) => void = () => {};
  let onEnd = () => {};
  const pauses: number[] = [];
  const ports: ConnectionPorts = {
    connect(_name, message, end) {
      onMessage = message;
      onEnd = end;
      return () => {};
    },
    after(milliseconds, run) {
      pauses.push(milliseconds);
      run();
    },
  };
  return { ports, pauses, send: (message: unknown) => onMessage(message), die: () => onEnd() };
}
