/** What one visit has cost so far. */

import { TuppenceError } from "../../../shared/errors.ts";
import { add, type Micros, subtract, ZERO } from "../../../shared/money.ts";
import type { ProgramWallet } from "../../../wallet/node/index.ts";

export interface Spending {
  add(amount: Micros): void;
  total(): Micros;
  /** Asks for a refund, and says whether it came. Where the merchant gives none, it stays spent. */
  takeBack(program: ProgramWallet, paymentId: string, amount: Micros): Promise<boolean>;
}

export function keepSpending(): Spending {
  let total = ZERO;
  return {
    add: (amount) => {
      total = add(total, amount);
    },
    total: () => total,
    takeBack: async ({ wallet }, paymentId, amount) => {
      try {
        await wallet.refund({ kind: "ui", type: "refund", paymentId });
        total = subtract(total, amount);
        return true;
      } catch (error) {
        if (error instanceof TuppenceError) return false;
        throw error;
      }
    },
  };
}
