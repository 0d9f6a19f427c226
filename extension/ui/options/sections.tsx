/**
 * The sections of the options page, in the order of the navigation. A section is a folder: `index.tsx` asks the background
 * and keeps what the reader does there, `state.ts` says what is shown, `view.tsx` draws it.
 */
import type { ComponentType } from "preact";
import type { IconName } from "../shared/icon.tsx";
import type { TextKey } from "../shared/text.tsx";
import { Backup } from "./backup/index.tsx";
import { Budgets } from "./budgets/index.tsx";
import { Privacy } from "./privacy/index.tsx";
import { Safety } from "./safety/index.tsx";
import type { SectionProps } from "./section.ts";
import { Spending } from "./spending/index.tsx";

export interface OptionsSection {
  /** As the address has it. */
  readonly name: string;
  readonly title: TextKey;
  readonly icon: IconName;
  readonly Section: ComponentType<SectionProps>;
}

export const SECTIONS: readonly [OptionsSection, ...OptionsSection[]] = [
  { name: "spending", title: "options_spending", icon: "chart", Section: Spending },
  { name: "budgets", title: "options_budgets", icon: "limit", Section: Budgets },
  { name: "backup", title: "options_backup", icon: "shield", Section: Backup },
  { name: "safety", title: "options_safety", icon: "lock", Section: Safety },
  { name: "privacy", title: "options_privacy", icon: "eye", Section: Privacy },
];

/** The first one where the address names none. */
export function sectionNamed(name: string): OptionsSection {
  return SECTIONS.find((section) => section.name === name) ?? SECTIONS[0];
}
