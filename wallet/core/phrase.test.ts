import { describe, expect, it } from "vitest";
import { micros } from "../../shared/money.ts";
import { type PhraseReminder, phraseReminder } from "./phrase.ts";
import type { WalletRow } from "./rows.ts";

const DAY_MS = 86_400_000;
const CREATED = 1_764_000_000_000;
const at = (days: number) => CREATED + days * DAY_MS;

function reminder(
  days: number,
  dollars: number,
  putOff?: { times: number; days: number; reminder: PhraseReminder },
) {
  const row = {
    phraseConfirmed: false,
    createdAt: CREATED,
    ...(putOff
      ? { phrasePutOff: { times: putOff.times, at: at(putOff.days), reminder: putOff.reminder } }
      : {}),
  } as WalletRow;
  return phraseReminder(row, micros(dollars * 1_000_000), at(days));
}

describe("the reminder of the recovery phrase", () => {
  it("grows with what would be lost and with time", () => {
    expect(reminder(0, 0)).toBe("calm");
    expect(reminder(30, 0)).toBe("calm");
    expect(reminder(0, 0.5)).toBe("calm");
    expect(reminder(0, 1)).toBe("firm");
    expect(reminder(1, 0.5)).toBe("firm");
    expect(reminder(0, 20)).toBe("firm");
    expect(reminder(3, 20)).toBe("urgent");
  });

  it("stays away for less long each time that it is put off, and at last not at all", () => {
    expect(reminder(6.9, 1, { times: 1, days: 0, reminder: "firm" })).toBe("none");
    expect(reminder(7, 1, { times: 1, days: 0, reminder: "firm" })).toBe("firm");
    expect(reminder(2.9, 1, { times: 2, days: 0, reminder: "firm" })).toBe("none");
    expect(reminder(3, 1, { times: 2, days: 0, reminder: "firm" })).toBe("firm");
    expect(reminder(0.9, 1, { times: 3, days: 0, reminder: "firm" })).toBe("none");
    expect(reminder(0.1, 1, { times: 4, days: 0, reminder: "firm" })).toBe("firm");
  });

  it("comes back at once when more is at stake than when it was put off", () => {
    expect(reminder(0.1, 0.5, { times: 1, days: 0, reminder: "calm" })).toBe("none");
    expect(reminder(0.1, 5, { times: 1, days: 0, reminder: "calm" })).toBe("firm");
    expect(reminder(0.1, 5, { times: 2, days: 0, reminder: "firm" })).toBe("urgent");
  });

  it("is silent once the phrase was checked", () => {
    const row = { phraseConfirmed: true, createdAt: CREATED } as WalletRow;
    expect(phraseReminder(row, micros(50_000_000), at(100))).toBe("none");
  });
});
