import { parse } from "valibot";
import { describe, expect, it } from "vitest";
import { micros } from "../../../shared/money.ts";
import { WalletSnapshot, type WalletSnapshotJson } from "../../../shared/protocol/ui.ts";
import { ENGLISH } from "../fixtures/english.ts";
import {
  approval,
  emptySnapshot,
  lockedSnapshot,
  noWalletSnapshot,
  payment,
  readySnapshot,
  topUp,
} from "../fixtures/snapshots.ts";
import { speak } from "../shared/text.tsx";
import {
  type HomeScreen,
  LOCAL_AT_START,
  PAYMENTS_SHOWN,
  type PopupLocal,
  screen,
  TOP_UP_NEWS_MS,
} from "./state.ts";

speak(ENGLISH);

const NOW = Date.UTC(2026, 10, 23, 12);

describe("which screen", () => {
  it("does not claim that there is no wallet before it knows", () => {
    expect(screen(undefined, false, LOCAL_AT_START, NOW)).toEqual({ is: "connecting" });
    expect(screen(undefined, true, LOCAL_AT_START, NOW)).toEqual({ is: "silent" });
  });

  it("does not hide the balance when the worker is silent for a moment", () => {
    expect(screen(parse(WalletSnapshot, readySnapshot(NOW)), true, LOCAL_AT_START, NOW).is).toBe("home");
  });

  it("sends a newcomer to the welcome page instead of showing an empty balance", () => {
    expect(screen(parse(WalletSnapshot, noWalletSnapshot()), false, LOCAL_AT_START, NOW).is).toBe("none");
  });
});

describe("balance", () => {
  it("does not worry the reader with nothing in flight", () => {
    expect(home(readySnapshot(NOW)).inFlight).toBeNull();
  });

  it("does not hide money in flight", () => {
    expect(
      home({
        ...readySnapshot(NOW),
        balance: { total: "1", account: "1", coins: "0", onItsWay: "0", inFlight: "50000", isLow: false },
      }).inFlight,
    ).toBe(50_000n);
  });

  it("does not take more money from a frozen account", () => {
    const screen = home({ ...readySnapshot(NOW), frozen: true });
    expect(screen.canTopUp).toBe(false);
    expect(screen.notices[0]).toEqual({ is: "frozen" });
  });
});

it("does not leave a reader alone with an empty balance while the wallet is brought back", () => {
  expect(
    home({ ...emptySnapshot(), phraseConfirmed: true, phraseReminder: "none", restoring: true }).notices,
  ).toEqual([{ is: "restoring", restore: null }]);
});

describe("payments", () => {
  it("does not offer money back once the time is over, on the millisecond", () => {
    const snapshot = { ...readySnapshot(NOW), payments: [payment({ refundableUntil: NOW + 1 })] };
    expect(home(snapshot).payments[0]?.canRefund).toBe(true);
    expect(home(snapshot, {}, NOW + 1).payments[0]?.canRefund).toBe(false);
  });

  it.each(["pending", "refunding", "refunded", "failed"] as const)(
    "does not offer money back for one that is %s",
    (state) => {
      const [row] = home({
        ...readySnapshot(NOW),
        payments: [payment({ state, refundableUntil: NOW + 1_000 })],
      }).payments;
      expect(row?.canRefund).toBe(false);
      expect(row?.standing).not.toBeNull();
    },
  );

  it("does not lose the older ones", () => {
    const payments = Array.from({ length: 9 }, (_, index) => payment({ id: String(index) }));
    const snapshot = { ...readySnapshot(NOW), payments };
    expect(home(snapshot).payments).toHaveLength(PAYMENTS_SHOWN);
    expect(home(snapshot).hiddenPayments).toBe(9 - PAYMENTS_SHOWN);
    expect(home(snapshot, { showAll: true }).payments).toHaveLength(9);
    expect(home(snapshot, { showAll: true }).hiddenPayments).toBe(0);
  });

  it("does not leave a row without a name", () => {
    expect(home({ ...readySnapshot(NOW), payments: [payment({ title: "" })] }).payments[0]?.title).toBe(
      "gazette.example",
    );
  });
});

describe("what is told", () => {
  it("does not bury a question under a reminder", () => {
    const kinds = home({
      ...emptySnapshot(),
      approvals: [approval()],
      topUps: [topUp({ at: NOW })],
    }).notices.map(({ is }) => is);
    expect(kinds).toEqual(["approval", "topUp", "phrase"]);
  });

  it("does not ask again what was answered", () => {
    const approvals = (["approved", "declined", "paying", "paid", "failed"] as const).map((state) =>
      approval({ state }),
    );
    expect(home({ ...readySnapshot(NOW), approvals }).notices).toEqual([]);
  });

  it("does not repeat old news about a top-up that was declined", () => {
    const snapshot = { ...readySnapshot(NOW), topUps: [topUp({ state: "declined", at: NOW })] };
    expect(home(snapshot).notices).toMatchObject([{ is: "topUp", state: "declined" }]);
    expect(home(snapshot, {}, NOW + TOP_UP_NEWS_MS).notices).toEqual([]);
    expect(home(snapshot, { dismissedTopUps: ["t1"] }).notices).toEqual([]);
  });

  it("tells of money that arrived only to whoever waited for it", () => {
    const snapshot = { ...readySnapshot(NOW), topUps: [topUp({ state: "paid", at: NOW })] };
    expect(home(snapshot).notices).toEqual([]);
    expect(home(snapshot, { seenOpenTopUps: ["t1"] }).notices).toMatchObject([
      { is: "topUp", state: "paid" },
    ]);
  });

  it("does not keep quiet about a provider that is down", () => {
    const snapshot = readySnapshot(NOW);
    expect(home({ ...snapshot, provider: { ...snapshot.provider, reachable: false } }).notices).toEqual([
      { is: "unreachable", provider: "Tuppence Sandbox" },
    ]);
  });
});

it("does not draw a bar longer than its allowance", () => {
  const rows = home({
    ...readySnapshot(NOW),
    allowances: [
      { origin: "https://a.example", merchantName: "A", budgets: [], limit: "0", left: "5", since: 0 },
    ],
  }).allowances;
  expect(rows[0]?.leftPercent).toBe(0);
  expect(home(readySnapshot(NOW)).allowances.map(({ leftPercent }) => leftPercent)).toEqual([85, 90]);
});

function home(snapshot: WalletSnapshotJson, local: Partial<PopupLocal> = {}, now = NOW): HomeScreen {
  const found = screen(parse(WalletSnapshot, snapshot), false, { ...LOCAL_AT_START, ...local }, now);
  if (found.is !== "home") throw new Error(`not the home screen but ${found.is}`);
  return found;
}

it("shows the balance as it was last while the background wakes, and nothing of it once that is silent or has spoken", () => {
  const last = { total: micros(4_950_000), currency: "USD", playMoney: true, openUntil: null };
  const at = (snapshot: WalletSnapshot | undefined, silent: boolean) =>
    screen(snapshot, silent, LOCAL_AT_START, NOW, last);
  expect(at(undefined, false)).toMatchObject({ is: "remembered", balance: 4_950_000n });
  expect(at(undefined, true)).toEqual({ is: "silent" });
  expect(at(parse(WalletSnapshot, lockedSnapshot()), false)).toEqual({ is: "locked" });
});

it("does not show the last balance of a wallet that should have locked itself by now, whatever memory still has", () => {
  const last = { total: micros(4_950_000), currency: "USD", playMoney: true };
  const until = (openUntil: number) => screen(undefined, false, LOCAL_AT_START, NOW, { ...last, openUntil });
  expect(until(NOW + 1)).toMatchObject({ is: "remembered" });
  expect(until(NOW)).toEqual({ is: "connecting" });
});
