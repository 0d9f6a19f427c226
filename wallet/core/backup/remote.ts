/** Parts of the backup at the provider's accounts origin. */
import type * as v from "valibot";
import { sha256, toBase64url } from "../../../shared/bytes.ts";
import { TuppenceError } from "../../../shared/errors.ts";
import type { Context } from "../context.ts";
import { readPart } from "./content.ts";
import { MAX_PART_BYTES, NONCE_OF_A_PART_BYTES, openPart, sealPart } from "./parts.ts";

export type PartKind = "head" | "coins" | "payments";
/** Kind, device, number. */
export type PartPlace = readonly [kind: PartKind, device: number, index: number];

/** The versions of all parts that there are, by name. */
export async function listParts(context: Context): Promise<ReadonlyMap<string, number>> {
  const { keys, provider } = await context.open();
  const parts = await provider.backupParts(keys.account);
  return new Map(parts.map(({ name, version }) => [name, version]));
}

export async function nameOf(context: Context, place: PartPlace): Promise<string> {
  const { keys } = await context.open();
  return keys.backup.partName(...place);
}

interface FetchedPart<Content> {
  readonly version: number;
  /** Undefined where it does not open or is none of ours. */
  readonly content: Content | undefined;
  /** The account was closed since it was written. */
  readonly isEmptied: boolean;
}

/** Undefined where there is none. */
export async function fetchPart<S extends v.GenericSchema>(
  context: Context,
  place: PartPlace,
  schema: S,
): Promise<FetchedPart<v.InferOutput<S>> | undefined> {
  const { keys, provider } = await context.open();
  const name = await nameOf(context, place);
  try {
    const { version, content } = await provider.backupPart(keys.account, name);
    const opened = readPart(schema, await openPart(keys.backup, name, content));
    return { version, content: opened, isEmptied: content === "" };
  } catch (error) {
    if (error instanceof TuppenceError && error.code === "backup_unknown") return undefined;
    // Longer than a part may be, or no base64url: as good as one that does not open.
    if (error instanceof TuppenceError && error.code === "provider_answer_invalid")
      return { version: 0, content: undefined, isEmptied: false };
    throw error;
  }
}

/** The new version. @throws TuppenceError backup_conflict where it is not at this version, backup_full */
export async function writePart(
  context: Context,
  place: PartPlace,
  content: object,
  version: number,
): Promise<number> {
  const { keys, provider } = await context.open();
  const name = await nameOf(context, place);
  const nonce = context.ports.random.bytes(NONCE_OF_A_PART_BYTES);
  const sealed = await sealPart(keys.backup, name, JSON.stringify(content), nonce);
  return provider.writeBackupPart(keys.account, name, { version, content: sealed });
}

/** For a part that nobody else writes, whatever stands there: an earlier answer was lost, or the provider went back in time. */
export async function replacePart(
  context: Context,
  place: PartPlace,
  content: object,
  version: number,
): Promise<number> {
  const { keys, provider } = await context.open();
  try {
    return await writePart(context, place, content, version);
  } catch (error) {
    if (!isConflict(error)) throw error;
    const name = await nameOf(context, place);
    const there = await provider.backupPart(keys.account, name).catch((failure: unknown) => {
      if (failure instanceof TuppenceError && failure.code === "backup_unknown") return undefined;
      throw failure;
    });
    return writePart(context, place, content, there?.version ?? 0);
  }
}

export function isFull(error: unknown): boolean {
  return error instanceof TuppenceError && error.code === "backup_full";
}

export function isConflict(error: unknown): boolean {
  return error instanceof TuppenceError && error.code === "backup_conflict";
}

/** With so many bytes to spare. */
export function fits(content: object, spare = 0): boolean {
  return new TextEncoder().encode(JSON.stringify(content)).length + spare <= MAX_PART_BYTES;
}

const MARK_BYTES = 9;

/** By which two wallets of one phrase speak of a coin, without its secret standing there a second time. */
export async function markOf(secret: string): Promise<string> {
  return toBase64url((await sha256(secret)).subarray(0, MARK_BYTES));
}
