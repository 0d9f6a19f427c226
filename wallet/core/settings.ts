/** What the reader has set for the whole wallet: one row, in which a field that is missing has its default. */
import type { UiRequestOf } from "../../shared/protocol/ui.ts";
import type { Context } from "./context.ts";
import type { StoreTables } from "./ports.ts";
import { SETTINGS_KEY, type SettingsRow } from "./rows.ts";

const DEFAULT_SETTINGS: SettingsRow = { key: SETTINGS_KEY, paused: false, monthlyLimit: undefined };

export async function readSettings(tables: Pick<StoreTables, "settings">): Promise<SettingsRow> {
  return { ...DEFAULT_SETTINGS, ...(await tables.settings.get(SETTINGS_KEY)) };
}

/** Nothing is paid from now on, or it is again. What was under way already ends as it does anyway. */
export async function setPaused(context: Context, { paused }: UiRequestOf<"setPaused">): Promise<void> {
  await changeSettings(context, { paused });
}

export async function setMonthlyLimit(
  context: Context,
  { limit }: UiRequestOf<"setMonthlyLimit">,
): Promise<void> {
  await changeSettings(context, { monthlyLimit: limit ?? undefined });
}

async function changeSettings(context: Context, changed: Partial<SettingsRow>): Promise<void> {
  await context.store.transaction(async (tables) =>
    tables.settings.put({ ...(await readSettings(tables)), ...changed }),
  );
  context.changed();
}
