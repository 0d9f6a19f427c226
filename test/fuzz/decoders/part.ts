/** Decoders by themselves, where a message alone would not reach every corner. */
import type { Part } from "../target.ts";
import { merchantTargets } from "./merchant.ts";
import { sharedTargets } from "./shared.ts";

export async function openDecoders(): Promise<Part> {
  return { targets: [...(await sharedTargets()), ...(await merchantTargets())] };
}
