/** Tips that start in the toolbar: the page's tip jar, read by the program and judged like a page's own request. */
import * as v from "valibot";
import { TuppenceError } from "../../shared/errors.ts";
import type { UiResultJson } from "../../shared/protocol/ui.ts";
import type { Context } from "./context.ts";
import { newId } from "./ids.ts";
import { judgeOrder } from "./orders.ts";
import { bringToFront, type PageParts, showQuestion } from "./pages.ts";
import type { Order } from "./rows.ts";
import type { PageSender } from "./wallet.ts";

/** The payload of a page's `tip` request. */
const TipJar = v.object({ offer: v.looseObject({}), least: v.string(), most: v.string() });

/** @throws TuppenceError nothing_to_tip, and whatever is wrong with the offer */
export async function judgeTip(context: Context, jar: unknown, sender: PageSender): Promise<Order> {
  const decoded = v.safeParse(TipJar, jar);
  if (!decoded.success) throw new TuppenceError("nothing_to_tip");
  const { offer, least, most } = decoded.output;
  return judgeOrder(context, { offer, mode: "direct", range: { least, most } }, sender);
}

export async function startTip(
  { context, paying }: PageParts,
  jar: unknown,
  sender: PageSender,
): Promise<UiResultJson<"startTip">> {
  const order = await judgeTip(context, jar, sender);
  // The toolbar's own click stands behind it, and nobody waits for an answer.
  const admission = await paying.admit({
    order,
    tabId: sender.tabId,
    requestKey: `toolbar ${newId(context)}`,
    clicked: true,
  });
  if (admission.kind === "busy") return bringToFront(context, admission.approval);
  if (admission.kind !== "asking") throw new TuppenceError("internal");
  await showQuestion(context, admission.approval);
  return { approvalId: admission.approval.id };
}
