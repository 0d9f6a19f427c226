/**
 * The welcome page, as data: three steps of which one is open.
 *
 *   create ──(createWallet)──> phrase ──(written down, or later)──> ready
 *
 * Which step it is follows from the snapshot, so that the page can be left and opened again at any point.
 */
import type { Micros } from "../../../shared/money.ts";
import type { PageError } from "../../../shared/protocol/page.ts";
import {
  PHRASE_WORDS,
  PHRASE_WORDS_ASKED,
  type RestoreView,
  type TopUpView,
  type WalletSnapshot,
} from "../../../shared/protocol/ui.ts";
import { t } from "../shared/text.tsx";
import { type TopUpOffer, topUpOffer } from "../shared/top-up-offer.ts";

const EXAMPLE_ADDRESS = "https://provider.example";

export interface WelcomeLocal {
  readonly mode: "create" | "restore";
  /** What stands in the field for the phrase, as typed. */
  readonly typedPhrase: string;
  /** The wallets that have the phrase already are not paid with any more. */
  readonly othersAreGone: boolean;
  /** Null while the field for the provider was not touched. */
  readonly typedProvider: string | null;
  readonly busy: boolean;
  readonly error: PageError | null;
  /** In memory while it is shown, never stored by the page. */
  readonly phrase: string | null;
  readonly copied: boolean;
  /** The places of the words that are asked for, from 1 on; null before. */
  readonly asked: readonly number[] | null;
  readonly typedWords: Readonly<Record<number, string>>;
  readonly wrong: readonly number[];
  /** Where a passphrase keeps the wallet, it is asked for before the phrase is shown. */
  readonly passphrase: string;
  readonly later: boolean;
  /** Top-ups that were open while this page was. */
  readonly seenOpenTopUps: readonly string[];
}

export const LOCAL_AT_START: WelcomeLocal = {
  mode: "create",
  typedPhrase: "",
  othersAreGone: true,
  typedProvider: null,
  busy: false,
  error: null,
  phrase: null,
  copied: false,
  asked: null,
  typedWords: {},
  wrong: [],
  passphrase: "",
  later: false,
  seenOpenTopUps: [],
};

export interface CreateStep {
  readonly is: "create";
  readonly mode: "create" | "restore";
  readonly typedPhrase: string;
  readonly othersAreGone: boolean;
  readonly wordCount: number;
  readonly provider: string;
  readonly providerProblem: string | null;
  readonly canGo: boolean;
  readonly busy: boolean;
  readonly error: PageError | null;
}

export interface PhraseStep {
  readonly is: "phrase";
  /** Null while they are hidden. */
  readonly words: readonly string[] | null;
  readonly copied: boolean;
  readonly takesPassphrase: boolean;
  readonly passphrase: string;
  /** Null before the reader says that they are written down. */
  readonly check: readonly AskedWord[] | null;
  readonly busy: boolean;
  readonly error: PageError | null;
}

export interface AskedWord {
  readonly place: number;
  readonly typed: string;
  readonly isWrong: boolean;
}

export interface ReadyStep {
  readonly is: "ready";
  readonly currency: string;
  readonly balance: Micros;
  readonly frozen: boolean;
  /** The phrase was typed in, and the provider is still asked what belongs to it. */
  readonly restoring: boolean;
  readonly restore: RestoreView | null;
  readonly topUps: TopUpOffer;
  readonly topUp: TopUpView | null;
  readonly phraseConfirmed: boolean;
  readonly busy: boolean;
  readonly error: PageError | null;
}

export type WelcomeScreen =
  | { readonly is: "connecting" }
  | { readonly is: "silent" }
  | { readonly is: "locked" }
  | CreateStep
  | PhraseStep
  | ReadyStep;

export function screen(
  snapshot: WalletSnapshot | undefined,
  silent: boolean,
  local: WelcomeLocal,
): WelcomeScreen {
  if (snapshot === undefined) return { is: silent ? "silent" : "connecting" };
  if (snapshot.state === "locked") return { is: "locked" };
  const { busy, error } = local;
  if (snapshot.state === "none") {
    const provider = local.typedProvider ?? snapshot.provider.origin;
    const problem =
      originOf(provider) === undefined ? t("welcome_provider_problem", { example: EXAMPLE_ADDRESS }) : null;
    const wordCount = wordsOf(local.typedPhrase).length;
    const canGo = problem === null && (local.mode === "create" || wordCount === PHRASE_WORDS);
    return {
      is: "create",
      mode: local.mode,
      typedPhrase: local.typedPhrase,
      othersAreGone: local.othersAreGone,
      wordCount,
      provider,
      providerProblem: problem,
      canGo,
      busy,
      error,
    };
  }
  if (!snapshot.phraseConfirmed && !local.later) {
    const words = local.phrase === null ? null : wordsOf(local.phrase);
    const check =
      local.asked?.map((place) => ({
        place,
        typed: local.typedWords[place] ?? "",
        isWrong: local.wrong.includes(place),
      })) ?? null;
    const takesPassphrase = snapshot.protection.hasPassphrase && words === null;
    return {
      is: "phrase",
      words,
      copied: local.copied,
      takesPassphrase,
      passphrase: local.passphrase,
      check,
      busy,
      error,
    };
  }
  return {
    is: "ready",
    currency: snapshot.currency,
    balance: snapshot.balance.total,
    frozen: snapshot.frozen,
    restoring: snapshot.restoring,
    restore: snapshot.restore,
    topUps: topUpOffer(snapshot),
    topUp:
      snapshot.topUps.find(({ id, state }) => state === "open" || local.seenOpenTopUps.includes(id)) ?? null,
    phraseConfirmed: snapshot.phraseConfirmed,
    busy,
    error,
  };
}

/** What `createWallet` is sent: only what differs from what the wallet does by itself. */
export function creationOf(
  snapshot: WalletSnapshot,
  local: WelcomeLocal,
): { readonly provider?: string; readonly phrase?: string; readonly otherDevices?: "in_use" } {
  const provider = local.typedProvider === null ? undefined : originOf(local.typedProvider);
  return {
    ...(provider === undefined || provider === snapshot.provider.origin ? {} : { provider }),
    ...(local.mode === "restore" ? { phrase: wordsOf(local.typedPhrase).join(" ") } : {}),
    ...(local.mode === "restore" && !local.othersAreGone ? { otherDevices: "in_use" } : {}),
  };
}

/** Which words to ask for: other places each time, in their order. `random` gives numbers from 0 up to, not including, 1. */
export function choosePlaces(random: () => number): readonly number[] {
  const places = Array.from({ length: PHRASE_WORDS }, (_, index) => index + 1);
  const chosen = Array.from({ length: PHRASE_WORDS_ASKED }, () =>
    places.splice(Math.floor(random() * places.length), 1),
  );
  return chosen.flat().sort((a, b) => a - b);
}

/** However they were pasted: with numbers, line breaks, capitals. */
export function wordsOf(phrase: string): readonly string[] {
  return phrase.toLowerCase().match(/\p{L}+/gu) ?? [];
}

/** The origin of a typed address; a slash at the end is forgiven, a path is not. */
export function originOf(address: string): string | undefined {
  const trimmed = address.trim();
  if (!URL.canParse(trimmed)) return undefined;
  const { protocol, origin, pathname, search, hash, username } = new URL(trimmed);
  const isOrigin = pathname === "/" && search === "" && hash === "" && username === "";
  return isOrigin && (protocol === "https:" || protocol === "http:") ? origin : undefined;
}
