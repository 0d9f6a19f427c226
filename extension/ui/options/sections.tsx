/**
 * The sections of the options page, in the order of the navigation. A section is a folder: `index.tsx` asks the background
 * and keeps what the reader does there, `state.ts` says what is shown, `view.tsx` draws it.
 */
import type { ComponentType } from "preact";
import type { WalletSnapshot } from "../../../shared/protocol/ui.ts";
import type { IconName } from "../shared/icon.tsx";
import type { Route } from "../shared/route.ts";
import type { TextKey } from "../shared/text.tsx";
import { Backup } from "./backup/index.tsx";
import { Budgets } from "./budgets/index.tsx";
import { Privacy } from "./privacy/index.tsx";
import { Safety } from "./safety/index.tsx";
import type { SectionProps } from "./section.ts";
import { askAheadForSpending, Spending } from "./spending/index.tsx";
import { Testing } from "./testing/index.tsx";

export interface OptionsSection {
  /** As the address has it. */
  readonly name: string;
  readonly title: TextKey;
  readonly icon: IconName;
  readonly Section: ComponentType<SectionProps>;
  /** Asks the background, together with the first snapshot, for what is drawn from more than that. */
  readonly askAhead?: (route: Route, now: number) => void;
  /** Where it is not always there. */
  readonly isShown?: (snapshot: WalletSnapshot) => boolean;
}

const SECTIONS: readonly [OptionsSection, ...OptionsSection[]] = [
  {
    name: "spending",
    title: "options_spending",
    icon: "chart",
    Section: Spending,
    askAhead: askAheadForSpending,
  },
  { name: "budgets", title: "options_budgets", icon: "limit", Section: Budgets },
  { name: "backup", title: "options_backup", icon: "shield", Section: Backup },
  { name: "safety", title: "options_safety", icon: "lock", Section: Safety },
  { name: "privacy", title: "options_privacy", icon: "eye", Section: Privacy },
  {
    name: "testing",
    title: "test_mode",
    icon: "flask",
    Section: Testing,
    isShown: ({ testMode }) => testMode !== "none",
  },
];

export function sectionsFor(snapshot: WalletSnapshot | undefined): readonly OptionsSection[] {
  return SECTIONS.filter(({ isShown }) => isShown === undefined || (snapshot && isShown(snapshot)));
}

/** The first one where the address names none. */
export function sectionNamed(name: string, snapshot: WalletSnapshot | undefined): OptionsSection {
  return sectionsFor(snapshot).find((section) => section.name === name) ?? SECTIONS[0];
}
