/** What the section on safety shows, as data: what keeps the wallet now, and the form with which that is changed. */
import type { PageError } from "../../../../shared/protocol/page.ts";
import {
  MIN_PASSPHRASE_CHARACTERS,
  type UiRequestJson,
  type WalletSnapshot,
} from "../../../../shared/protocol/ui.ts";

export const LOCK_AFTER_MINUTES: readonly number[] = [5, 15, 60, 480];
const USUAL_MINUTES = 15;

/** What the reader did in this section. */
export interface SafetyLocal {
  /** Null while nothing is being changed. */
  readonly changing: "set" | "remove" | null;
  readonly current: string;
  readonly passphrase: string;
  readonly again: string;
  /** Null while nothing was chosen. */
  readonly minutes: number | null;
  readonly busy: boolean;
  readonly done: boolean;
  readonly error: PageError | null;
}

export const LOCAL_AT_START: SafetyLocal = {
  changing: null,
  current: "",
  passphrase: "",
  again: "",
  minutes: null,
  busy: false,
  done: false,
  error: null,
};

export interface SafetyScreen {
  readonly hasPassphrase: boolean;
  readonly minutes: number;
  readonly changing: SafetyLocal["changing"];
  readonly problem: "short" | "different" | null;
  readonly canSave: boolean;
}

export function screen({ protection }: WalletSnapshot, local: SafetyLocal): SafetyScreen {
  const { hasPassphrase, lockAfterMinutes } = protection;
  const isLong = [...local.passphrase.normalize("NFKC")].length >= MIN_PASSPHRASE_CHARACTERS;
  const problem =
    local.passphrase !== "" && !isLong
      ? "short"
      : local.again !== "" && local.again !== local.passphrase
        ? "different"
        : null;
  const isComplete = local.changing === "remove" || (isLong && local.again === local.passphrase);
  return {
    hasPassphrase,
    minutes: local.minutes ?? (hasPassphrase ? lockAfterMinutes : USUAL_MINUTES),
    changing: local.changing,
    problem,
    canSave: isComplete && (!hasPassphrase || local.current !== "") && !local.busy,
  };
}

export function requestOf(shown: SafetyScreen, local: SafetyLocal): UiRequestJson {
  return {
    kind: "ui",
    type: "protect",
    ...(shown.hasPassphrase ? { current: local.current } : {}),
    passphrase: shown.changing === "remove" ? null : local.passphrase,
    lockAfterMinutes: shown.minutes,
  };
}
