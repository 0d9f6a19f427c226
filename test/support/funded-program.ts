/** A program's wallet with money in it, in a file of its own. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { micros } from "../../shared/money.ts";
import { openProgramWallet, type ProgramWallet } from "../../wallet/node/index.ts";

export interface FundedProgram {
  readonly program: ProgramWallet;
  balance(): Promise<bigint>;
  close(): Promise<void>;
}

const POLL_MS = 50;

export interface FundingProvider {
  readonly origin: string;
  /** Its clock, where a test turns it. */
  readonly clock?: { readonly ahead: number };
}

/** Topped up at the sandbox's own checkout, as a person would. */
export async function openFundedProgram(provider: FundingProvider, amount: bigint): Promise<FundedProgram> {
  const folder = mkdtempSync(join(tmpdir(), "tuppence-funded-"));
  const program = openProgramWallet({
    file: join(folder, randomUUID()),
    provider: provider.origin,
    clock: { nowMs: () => Date.now() + (provider.clock?.ahead ?? 0) },
    onFault: (error) => {
      throw error;
    },
  });
  await program.wallet.create({ kind: "ui", type: "createWallet" });
  const { checkoutUrl } = await program.wallet.topUp({ kind: "ui", type: "topUp", amount: micros(amount) });
  const balance = async () => BigInt((await program.wallet.snapshot()).balance.total);
  const paid = await fetch(checkoutUrl, {
    method: "POST",
    body: new URLSearchParams({ decision: "approve" }),
    redirect: "manual",
  });
  if (paid.status >= 400) throw new Error(`the checkout answered ${paid.status}`);
  while ((await balance()) < amount) {
    await program.wallet.refreshTopUps();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return {
    program,
    balance,
    async close() {
      await program.close();
      rmSync(folder, { recursive: true });
    },
  };
}
