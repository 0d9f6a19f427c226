/** A provider with so many payments behind it, made once a run for all parts that want one. */
import { join } from "node:path";
import * as v from "valibot";
import { type PreparedProvider, prepareProvider } from "./payments.ts";
import { runProgram } from "./process.ts";

/** Smaller while something is being changed: `TUPPENCE_BENCH_TRANSFERS=100000`. */
const TRANSFERS = Number(process.env.TUPPENCE_BENCH_TRANSFERS ?? 10_000_000);
const TEMPLATE = "merchant-template";
const BYTES_PER_GB = 1e9;

export interface FilledProvider {
  readonly provider: PreparedProvider;
  /** Of the database's file. */
  readonly path: string;
  readonly transfers: number;
}

let filled: Promise<FilledProvider> | undefined;

export function filledProvider(): Promise<FilledProvider> {
  filled ??= fillProvider(TRANSFERS);
  return filled;
}

export async function removeFilled(): Promise<void> {
  const made = await filled?.catch(() => undefined);
  filled = undefined;
  await made?.provider.remove();
}

/** @param parameters further ones of `fill.ts` */
export async function fillProvider(
  transfers: number,
  parameters: readonly string[] = [],
): Promise<FilledProvider> {
  let path = "";
  const provider = await prepareProvider(async ({ config, mint, merchants }) => {
    path = join(config.dataFolder, "tuppence.sqlite");
    await merchants.put({
      id: TEMPLATE,
      name: "The one of whom the others are copies",
      origins: ["https://merchant.example"],
    });
    const place = ["--path", path, "--keyset", mint.activeKeysetId(), "--merchant", TEMPLATE];
    return () => runFill(transfers, [...place, ...parameters]);
  });
  return { provider, path, transfers };
}

const Filled = v.object({ seconds: v.number(), bytes: v.number() });

/** In a process of its own, because it takes more memory than anything else. */
async function runFill(transfers: number, parameters: readonly string[]): Promise<void> {
  const filling = runProgram("fill.ts", [...parameters, "--transfers", `${transfers}`]);
  const { seconds, bytes } = v.parse(Filled, await filling);
  console.log(
    `filled with ${transfers.toLocaleString("en-US")} payments in ${seconds.toFixed(0)} s, ${(bytes / BYTES_PER_GB).toFixed(1)} GB`,
  );
}
