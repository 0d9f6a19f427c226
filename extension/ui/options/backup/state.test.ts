import { parse } from "valibot";
import { expect, it } from "vitest";
import { WalletSnapshot } from "../../../../shared/protocol/ui.ts";
import { ENGLISH } from "../../fixtures/english.ts";
import { readySnapshot } from "../../fixtures/snapshots.ts";
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
