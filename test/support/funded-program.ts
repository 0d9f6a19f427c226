/** A program's wallet with money in it, in a file of its own. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { micros } from "../../shared/money.ts";
import { openProgramWallet, type ProgramWallet } from "../../wallet/node/index.ts";
import type { TestProvider } from "../conformance/provider.ts";
import { approveTopUp } from "../conformance/reader.ts";

export interface FundedProgram {
  readonly program: ProgramWallet;
  balance(): Promise<bigint>;
  close(): Promise<void>;
}

export async function openFundedProgram(provider: TestProvider, amount: bigint): Promise<FundedProgram> {
  const folder = mkdtempSync(join(tmpdir(), "tuppence-funded-"));
  const program = openProgramWallet({
    file: join(folder, randomUUID()),
    provider: provider.origin,
    clock: { nowMs: () => Date.now() + provider.clock.ahead },
    onFault: (error) => {
      throw error;
    },
  });
  await program.wallet.create({ kind: "ui", type: "createWallet" });
  const { topUpId } = await program.wallet.topUp({ kind: "ui", type: "topUp", amount: micros(amount) });
  await approveTopUp(provider, topUpId, amount);
  await program.wallet.refreshTopUps();
  return {
    program,
    balance: async () => BigInt((await program.wallet.snapshot()).balance.total),
    async close() {
      await program.close();
      rmSync(folder, { recursive: true });
    },
  };
}
