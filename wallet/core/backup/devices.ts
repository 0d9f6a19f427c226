/**
 * The wallets of one phrase, by number. Who made the phrase is 0; who restores it takes the next number that nobody has, by
 * writing its head where there is none: of two at once one is refused. Numbers are never given again, so that nobody counts
 * where another counted before.
 */
import { TuppenceError } from "../../../shared/errors.ts";
import { ZERO } from "../../../shared/money.ts";
import type { Context } from "../context.ts";
import { newId } from "../ids.ts";
import { Head, type HeadJson } from "./content.ts";
import { fetchPart, isConflict, nameOf, writePart } from "./remote.ts";

const MAX_DEVICES = 100;

export interface RemoteHead {
  readonly device: number;
  readonly version: number;
  /** Undefined where it does not open. */
  readonly head: Head | undefined;
  readonly isEmptied: boolean;
}

/** Of all devices that have a backup, in the order of their numbers. */
export async function fetchHeads(
  context: Context,
  versions: ReadonlyMap<string, number>,
  isWanted: (device: number, version: number) => boolean = () => true,
): Promise<RemoteHead[]> {
  const heads: RemoteHead[] = [];
  for (let device = 0; device < MAX_DEVICES; device++) {
    const version = versions.get(await nameOf(context, ["head", device, 0]));
    if (version === undefined || !isWanted(device, version)) continue;
    const found = await fetchPart(context, ["head", device, 0], Head);
    if (!found) continue;
    // A head that speaks of another device was moved here.
    const head = found.content?.device === device ? found.content : undefined;
    heads.push({ device, version: found.version || version, head, isEmptied: found.isEmptied });
  }
  return heads;
}

/** Also where an earlier attempt took one and died. @throws TuppenceError devices_exceeded */
export async function takeNumber(
  context: Context,
  instance: string,
  versions: ReadonlyMap<string, number>,
): Promise<{ readonly device: number; readonly version: number }> {
  for (let device = 1; device < MAX_DEVICES; device++) {
    const place = ["head", device, 0] as const;
    const isThere = versions.has(await nameOf(context, place));
    if (!isThere) {
      try {
        return { device, version: await writePart(context, place, emptyHead(context, device, instance), 0) };
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
    const found = await fetchPart(context, place, Head);
    if (found?.content?.instance === instance && found.content.device === device)
      return { device, version: found.version };
  }
  throw new TuppenceError("devices_exceeded", { most: MAX_DEVICES });
}

/** Wallets of the first version have none yet. */
export async function ownInstance(context: Context): Promise<string> {
  const { row } = await context.open();
  if (row.instance !== undefined) return row.instance;
  const made = newId(context);
  const changed = await context.updateWallet((kept) => ({ ...kept, instance: kept.instance ?? made }));
  return changed.instance ?? made;
}

function emptyHead(context: Context, device: number, instance: string): HeadJson {
  return {
    v: 1,
    device,
    instance,
    writtenAt: context.nowMs(),
    isEmpty: true,
    outputs: [],
    nextPayment: 0,
    openPayments: [],
    coins: { parts: 0, value: ZERO.toString() },
    payments: { parts: 0, count: 0 },
    recent: [],
    changed: [],
    forgotten: [],
    allowances: [],
  };
}
