import { describe, expect, it } from "vitest";
import type { WalletSnapshot } from "../../../../shared/protocol/ui.ts";
import { LOCAL_AT_START, requestOf, type SafetyLocal, screen } from "./state.ts";

const LONG = "four words of mine";
const shown = (hasPassphrase: boolean, local: Partial<SafetyLocal>) =>
  screen({ protection: { hasPassphrase, lockAfterMinutes: 60 } } as WalletSnapshot, {
    ...LOCAL_AT_START,
    changing: "set",
    ...local,
  });

describe("a new passphrase", () => {
  it("is not taken while it is short, or was not typed twice the same", () => {
    expect(shown(false, { passphrase: "short", again: "short" })).toMatchObject({
      problem: "short",
      canSave: false,
    });
    expect(shown(false, { passphrase: LONG, again: `${LONG}.` })).toMatchObject({
      problem: "different",
      canSave: false,
    });
    expect(shown(false, { passphrase: LONG, again: LONG })).toMatchObject({ problem: null, canSave: true });
  });

  it("takes the old one to be set, and so does to have none", () => {
    expect(shown(true, { passphrase: LONG, again: LONG }).canSave).toBe(false);
    expect(shown(true, { passphrase: LONG, again: LONG, current: "old" }).canSave).toBe(true);
    expect(shown(true, { changing: "remove" }).canSave).toBe(false);
    expect(shown(true, { changing: "remove", current: "old" }).canSave).toBe(true);
  });

  it("keeps the time after which the wallet locks itself, unless another is chosen", () => {
    expect(shown(true, {}).minutes).toBe(60);
    expect(shown(true, { minutes: 5 }).minutes).toBe(5);
  });
});

it("asks for no passphrase where it is taken away, whatever was typed before", () => {
  const local: SafetyLocal = { ...LOCAL_AT_START, changing: "remove", passphrase: LONG, current: "old" };
  expect(requestOf(shown(true, local), local)).toMatchObject({ passphrase: null, current: "old" });
});
