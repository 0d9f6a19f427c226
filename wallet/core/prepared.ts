/** The next payment's id and keys, made before anyone clicks, so that a click waits for no derivation. */
import type { Micros } from "../../shared/money.ts";
import type { BlankCoin } from "./cashu.ts";
import { makeChangeBlanks } from "./coins.ts";
import { type Context, ownDevice } from "./context.ts";
import { changeCoins, chooseCoins } from "./drawer.ts";
import type { PaymentKeys } from "./keys.ts";

export interface PreparedPayment {
  readonly device: number;
  readonly counter: number;
  readonly id: string;
  readonly keys: PaymentKeys;
  /** Blank coins for the change, as many as were made ahead. */
  blanks: readonly BlankCoin[];
}

export const PAYMENT_COUNTER = "payment";

/** Each number is given out once per process; what the store says afterwards is the highest that was used. */
export interface PaymentPreparation {
  /** Begins, so that `take` waits for less: somebody asks who will probably pay. */
  begin(): void;
  take(): Promise<PreparedPayment>;
  /** For one that was taken and not used. */
  giveBack(prepared: PreparedPayment): void;
  /** Makes blank coins for the payment that comes next, if one like this `amount` would need them. */
  readyFor(amount: Micros): Promise<void>;
  /** Another wallet was made, or it has another number. */
  reset(): void;
}

export function preparePayments(context: Context): PaymentPreparation {
  const spare: PreparedPayment[] = [];
  /** Of this wallet: what was made for one that is gone since does not come back. */
  const given = new Set<PreparedPayment>();
  let nextCounter: Promise<number> | undefined;
  let ahead: Promise<PreparedPayment> | undefined;

  const make = async (): Promise<PreparedPayment> => {
    const device = await ownDevice(context);
    const { keys } = await context.open();
    // Looked up once; from then on this process counts by itself, and every used number is stored with its payment.
    nextCounter ??= context.store.read(
      async (tables) => (await tables.counters.get(PAYMENT_COUNTER))?.next ?? 0,
    );
    const counter = await nextCounter;
    nextCounter = Promise.resolve(counter + 1);
    const id = await device.paymentId(counter);
    return { device: device.device, counter, id, keys: await keys.payment(id), blanks: [] };
  };
  // One after the other, so that no number is given out twice.
  let last: Promise<unknown> = Promise.resolve();
  const makeInTurn = (): Promise<PreparedPayment> => {
    const made = last.then(make);
    last = made.catch(() => undefined);
    return made;
  };

  const makeAhead = (): void => {
    const made = makeInTurn();
    ahead = made;
    // Whoever takes it hears of its failure.
    made.catch(() => {
      if (ahead === made) ahead = undefined;
    });
  };

  const takeAhead = (): Promise<PreparedPayment> => {
    const current = ahead ?? makeInTurn();
    makeAhead();
    return current;
  };

  return {
    begin: () => {
      if (spare.length === 0 && !ahead) makeAhead();
    },
    take: async () => {
      const current = spare.pop() ?? (await takeAhead());
      given.add(current);
      return current;
    },
    giveBack: (prepared) => {
      if (given.delete(prepared)) spare.push(prepared);
    },
    readyFor: async (amount) => {
      const free = await context.store.read((tables) => tables.coins.where("state", "free"));
      const choice = chooseCoins(free, amount);
      const next = spare.at(-1) ?? (await ahead);
      if (!choice || !next) return;
      const changeSeed = await next.keys.changeSeed();
      next.blanks = await makeChangeBlanks(context, changeSeed, changeCoins(choice), next.blanks);
    },
    reset: () => {
      spare.length = 0;
      given.clear();
      nextCounter = undefined;
      ahead = undefined;
    },
  };
}
