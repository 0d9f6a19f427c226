/** Money into the account. A top-up's id is stored before it is sent, so that a lost answer makes no second one. */
import { TuppenceError } from "../../shared/errors.ts";
import { type Micros, micros } from "../../shared/money.ts";
import type { UiResultJson } from "../../shared/protocol/ui.ts";
import { type Context, isFinal, knowProvider, walletRow } from "./context.ts";
import { newId } from "./ids.ts";
import type { TopUpRow } from "./rows.ts";
import { refreshAccount } from "./stock.ts";

/** What the popup offers, as far as the provider allows it. */
const OFFERED = [micros(5_000_000), micros(10_000_000), micros(20_000_000)];
/** The only gateway of this version. */
export const GATEWAY = "sandbox";
/** A checkout that nobody finished for so long is not asked about any more. */
const ASKED_FOR_MS = 86_400_000;

export function topUpAmounts(
  limits: { readonly least: Micros; readonly most: Micros } | undefined,
  last: Micros | undefined,
): Micros[] {
  const offered = last === undefined || OFFERED.includes(last) ? OFFERED : [...OFFERED, last];
  return offered
    .filter((amount) => !limits || (amount >= limits.least && amount <= limits.most))
    .sort((a, b) => (a < b ? -1 : 1));
}

/** @throws TuppenceError topup_limit, provider_* */
export async function topUp(context: Context, amount: Micros): Promise<UiResultJson<"topUp">> {
  const { keys, provider, row } = await context.open();
  if (!row.registered) await refreshAccount(context);
  const { info } = await knowProvider(context);
  if (amount < info.topUps.least || amount > info.topUps.most) throw new TuppenceError("topup_limit");
  const made: TopUpRow = { id: newId(context), amount, state: "open", at: context.nowMs(), checkoutUrl: "" };
  await context.store.transaction((tables) => tables.topUps.put(made));
  try {
    const answer = await provider.createTopUp(keys.account, {
      id: made.id,
      amount: amount.toString(),
      gateway: GATEWAY,
    });
    await context.store.transaction((tables) =>
      tables.topUps.put({ ...made, state: answer.state, checkoutUrl: answer.checkoutUrl }),
    );
    return { topUpId: made.id, checkoutUrl: answer.checkoutUrl };
  } catch (error) {
    // Without its address nobody can pay it, so it is no use to keep.
    await context.store.transaction((tables) => tables.topUps.remove(made.id));
    throw error;
  } finally {
    context.changed();
  }
}

/** True if the account holds more than before: to the first who learns it, and so has to go there. */
export async function refreshTopUps(context: Context): Promise<boolean> {
  const { keys, provider } = await context.open();
  const open = await context.store.read((tables) => tables.topUps.where("state", "open"));
  let isPaid = false;
  for (const row of open) {
    if (context.nowMs() - row.at > ASKED_FOR_MS) {
      await context.store.transaction((tables) => tables.topUps.put({ ...row, state: "abandoned" }));
      continue;
    }
    const answer = await provider.topUp(keys.account, row.id).catch((error: unknown) => {
      if (isFinal(error) && error.code === "topup_unknown") return undefined;
      throw error;
    });
    const state = answer?.state ?? "abandoned";
    if (state === "open" && answer?.checkoutUrl === row.checkoutUrl) continue;
    const isNews = await context.store.transaction(async (tables) => {
      // Somebody else asked at the same time, and knew before.
      if ((await tables.topUps.get(row.id))?.state !== "open") return false;
      await tables.topUps.put({ ...row, state, checkoutUrl: answer?.checkoutUrl ?? row.checkoutUrl });
      // Should this process die before the account was visited, the next one goes there.
      if (state === "paid")
        await tables.wallet.put({
          ...(await walletRow(tables)),
          visitAccountAt: context.nowMs(),
          isResting: false,
          closure: undefined,
        });
      return true;
    });
    isPaid ||= isNews && state === "paid";
  }
  if (isPaid) await context.reload();
  if (open.length > 0) context.changed();
  return isPaid;
}
