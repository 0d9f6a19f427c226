/**
 * Whether the reader has the recovery phrase: checked by asking for some of its words. It can be put off; the reminder
 * grows with what would be lost and with time, and each putting off keeps it away for less long, the last for not at all.
 */
import { TuppenceError } from "../../shared/errors.ts";
import { type Micros, micros } from "../../shared/money.ts";
import { PHRASE_WORDS_ASKED, type UiRequestOf, type UiResultJson } from "../../shared/protocol/ui.ts";
import type { Context } from "./context.ts";
import type { WalletRow } from "./rows.ts";

export type PhraseReminder = "none" | "calm" | "firm" | "urgent";

const DAY_MS = 86_400_000;
/** How long it stays away after the first, the second, … putting off. */
const PUT_OFF_MS = [7 * DAY_MS, 3 * DAY_MS, DAY_MS];
const LEVELS = ["none", "calm", "firm", "urgent"] as const satisfies readonly PhraseReminder[];
/** From so much on, or after so long, it is firm; from so much on, and after so long or put off so often, urgent. */
const FIRM = { total: micros(1_000_000), ageMs: DAY_MS };
const URGENT = { total: micros(5_000_000), ageMs: 3 * DAY_MS, times: 2 };

/** Confirms the phrase where all words are right; answers the places of those that are not. Places count from 1. */
export async function confirmPhrase(
  context: Context,
  { words }: UiRequestOf<"confirmPhrase">,
): Promise<UiResultJson<"confirmPhrase">> {
  if (new Set(words.map(({ place }) => place)).size < PHRASE_WORDS_ASKED)
    throw new TuppenceError("message_invalid");
  const { row } = await context.open();
  const phrase = row.phrase.split(" ");
  const wrong = words.filter(({ place, word }) => phrase[place - 1] !== word.trim().toLowerCase());
  if (wrong.length === 0) await context.updateWallet((current) => ({ ...current, phraseConfirmed: true }));
  return { wrong: wrong.map(({ place }) => place) };
}

/** @param total what would be lost */
export async function putOffPhrase(context: Context, total: Micros): Promise<void> {
  await context.updateWallet((row) => ({
    ...row,
    phrasePutOff: {
      times: (row.phrasePutOff?.times ?? 0) + 1,
      at: context.nowMs(),
      reminder: grownReminder(row, total, context.nowMs()),
    },
  }));
}

export function phraseReminder(row: WalletRow, total: Micros, nowMs: number): PhraseReminder {
  const grown = grownReminder(row, total, nowMs);
  const { phrasePutOff } = row;
  if (!phrasePutOff || grown === "none") return grown;
  const isAway = nowMs < phrasePutOff.at + (PUT_OFF_MS[phrasePutOff.times - 1] ?? 0);
  const hasGrown = LEVELS.indexOf(grown) > LEVELS.indexOf(phrasePutOff.reminder);
  return isAway && !hasGrown ? "none" : grown;
}

function grownReminder(row: WalletRow, total: Micros, nowMs: number): PhraseReminder {
  if (row.phraseConfirmed) return "none";
  const ageMs = nowMs - row.createdAt;
  const times = row.phrasePutOff?.times ?? 0;
  if (total >= URGENT.total && (ageMs >= URGENT.ageMs || times >= URGENT.times)) return "urgent";
  return total >= FIRM.total || (total > 0n && ageMs >= FIRM.ageMs) ? "firm" : "calm";
}
