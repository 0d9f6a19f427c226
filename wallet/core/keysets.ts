/**
 * The provider's keysets, fetched at the anonymous origin only. One is used only if its id follows from its keys and
 * stands in the published log: a keyset made for one reader would mark that reader's coins.
 */
import { TuppenceError } from "../../shared/errors.ts";
import { keysetIdFits } from "./cashu.ts";
import { type Context, knowProvider } from "./context.ts";
import type { KeysetRow } from "./rows.ts";

/** The keyset to make blank coins under. @throws TuppenceError keyset_unknown, provider_* */
export async function activeKeyset(context: Context): Promise<KeysetRow> {
  const { info } = await knowProvider(context);
  const kept = await context.store.read((tables) => tables.keysets.all());
  return kept.find(({ active, unit }) => active && unit === info.unit) ?? refreshKeysets(context);
}

/** True where blank coins were refused because their keyset ended meanwhile, and the wallet knows the next one by now. */
export async function hasKeysetEnded(context: Context, error: unknown, keysetId: string): Promise<boolean> {
  if (!(error instanceof TuppenceError) || error.code !== "keyset_unknown") return false;
  return (await activeKeyset(context)).id !== keysetId;
}

export async function keysetOf(context: Context, id: string): Promise<KeysetRow> {
  const kept = await context.store.read((tables) => tables.keysets.get(id));
  if (kept) return kept;
  await refreshKeysets(context);
  const found = await context.store.read((tables) => tables.keysets.get(id));
  if (!found) throw new TuppenceError("keyset_unknown");
  return found;
}

/** @throws TuppenceError keyset_unknown where no genuine active keyset is published */
export async function refreshKeysets(context: Context): Promise<KeysetRow> {
  const { provider } = await context.open();
  const { info } = await knowProvider(context);
  const [log, published, kept] = await Promise.all([
    provider.keysetLog(),
    provider.keysets(),
    context.store.read((tables) => tables.keysets.all()),
  ]);
  const rows: KeysetRow[] = [];
  for (const { id, unit, active } of published.filter(
    (keyset) => keyset.unit === info.unit && log.includes(keyset.id),
  )) {
    const keys = kept.find((row) => row.id === id)?.keys ?? (await provider.keys(id));
    if (keysetIdFits(id, unit, keys)) rows.push({ id, unit, active, keys });
  }
  await context.store.transaction((tables) => tables.keysets.putAll(rows));
  const active = rows.find((row) => row.active);
  if (!active) throw new TuppenceError("keyset_unknown");
  return active;
}
