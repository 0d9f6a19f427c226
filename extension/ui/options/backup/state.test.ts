import { parse } from "valibot";
import { expect, it } from "vitest";
import { WalletSnapshot } from "../../../../shared/protocol/ui.ts";
import { ENGLISH } from "../../fixtures/english.ts";
import { emptySnapshot, payment, readySnapshot } from "../../fixtures/snapshots.ts";
import { speak } from "../../shared/text.tsx";
import { backupScreen } from "./state.ts";

const NOW = Date.UTC(2026, 10, 23, 14, 32);
const HOUR_MS = 3_600_000;
speak(ENGLISH);

const screenOf = (change: object) =>
  backupScreen(parse(WalletSnapshot, { ...readySnapshot(NOW), ...change }), NOW);

it("does not speak of a backup that was never written, nor of coins elsewhere where there are none", () => {
  const backup = { savedAt: null, isUnsaved: true, error: null };
  expect(screenOf({ backup })).toMatchObject({ savedAt: null, elsewhere: null, error: null });
});

it("says how old the backup is, why the last one failed, and what other browsers hold", () => {
  const error = { code: "backup_full", message: "Full." };
  const backup = { savedAt: NOW - 30 * HOUR_MS, isUnsaved: true, error };
  expect(screenOf({ backup, elsewhere: "3450000" })).toMatchObject({
    savedAt: "Yesterday",
    isUnsaved: true,
    error,
    elsewhere: "$3.45",
  });
});

const NOTHING = emptySnapshot().balance;
const RESTORE = {
  phase: "checking",
  receipts: 0,
  receiptsInBackup: 0,
  coins: 4,
  coinsToCheck: 4,
  damagedParts: 0,
};

it("keeps nobody without the words who has nothing to lose", () => {
  const empty = { balance: NOTHING, phraseConfirmed: false };
  expect(screenOf(empty).leaving.canRemove).toBe(true);
});

it.each([
  ["coins", { balance: { ...NOTHING, total: "50000", coins: "50000" } }],
  ["something in the account", { balance: { ...NOTHING, total: "50000", account: "50000" } }],
  ["change on its way", { balance: { ...NOTHING, total: "10000", onItsWay: "10000" } }],
  ["a payment without an answer", { balance: { ...NOTHING, inFlight: "50000" } }],
  ["a refund on its way", { balance: NOTHING, payments: [payment({ state: "refunding" })] }],
  ["a restore under way", { balance: NOTHING, restoring: true, restore: RESTORE }],
  ["coins of another browser to be checked", { balance: NOTHING, restore: RESTORE }],
  ["a restore that knows nothing yet", { balance: NOTHING, restoring: true }],
])("lets nobody lose %s by removing the wallet before the words are written down", (_case, change) => {
  expect(screenOf({ payments: [], ...change, phraseConfirmed: false }).leaving.canRemove).toBe(false);
  expect(screenOf({ payments: [], ...change, phraseConfirmed: true }).leaving.canRemove).toBe(true);
});

it("offers no way into a frozen account, and none for coins that another browser may have spent", () => {
  expect(screenOf({}).leaving).toMatchObject({ frozen: false, restoring: false });
  expect(screenOf({ frozen: true }).leaving.frozen).toBe(true);
  expect(screenOf({ restore: RESTORE }).leaving.restoring).toBe(true);
  expect(screenOf({ restoring: true }).leaving.restoring).toBe(true);
});
