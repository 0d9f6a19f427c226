import { parse } from "valibot";
import { beforeAll, describe, expect, it } from "vitest";
import { micros } from "../../../shared/money.ts";
import { WalletSnapshot, type WalletSnapshotJson } from "../../../shared/protocol/ui.ts";
import { ENGLISH } from "../fixtures/english.ts";
import { APPROVAL_ID, approval, readySnapshot, tipApproval, topUp } from "../fixtures/snapshots.ts";
import { speak } from "../shared/text.tsx";
import {
  type ApproveLocal,
  type ApproveScreen,
  type AskingScreen,
  approvalOf,
  LOCAL_AT_START,
  screen,
  tipPresets,
} from "./state.ts";

speak(ENGLISH);

type Approval = WalletSnapshotJson["approvals"][number];

beforeAll(() => speak(ENGLISH));

describe("budgets", () => {
  const budget = (of: "site_payment" | "site_day" | "site_month" | "site_total" | "month", left: string) =>
    ({ of, limit: "1000000", left }) as const;

  it("says which limit the payment does not fit into, and what is left of it", () => {
    const why = (of: "site_payment" | "site_day" | "site_month" | "site_total", left: string) =>
      asking(approval({ reason: budget(of, left), budgets: [budget(of, left)] })).why;
    expect([why("site_payment", "20000"), why("site_day", "20000"), why("site_day", "0")]).toEqual([
      "You are asked because this costs more than the $1 that this site may be paid at once without asking.",
      "You are asked because only 2¢ is left of the $1 a day for this site.",
      "You are asked because the $1 a day for this site are spent.",
    ]);
    expect([why("site_month", "20000"), why("site_total", "0")]).toEqual([
      "You are asked because only 2¢ is left of the $1 a month for this site.",
      "You are asked because the $1 for this site are spent.",
    ]);
    expect(asking(approval()).why).toBeNull();
  });

  it("does not pay beyond the monthly limit before the reader agrees to that as well", () => {
    const beyond = approval({ reason: budget("month", "20000"), budgets: [budget("month", "20000")] });
    const screen = asking(beyond);
    expect(screen).toMatchObject({ why: null, beyond: { over: 30_000n, limit: 1_000_000n, agreed: false } });
    expect(approvalOf(screen)).toBeUndefined();
    expect(approvalOf(asking(beyond, { beyondMonth: true }))).toEqual({ amount: 50_000n, beyondMonth: true });
  });

  it("judges a tip by the amount that is chosen", () => {
    const tip = tipApproval({ budgets: [budget("month", "500000")] });
    expect(asking(tip)).toMatchObject({ beyond: null, monthAfter: { left: 0n } });
    expect(asking(tip, { ownAmount: "0.60" })).toMatchObject({ beyond: { over: 100_000n } });
    // Agreed to for another amount, it is not sent where it is not needed.
    expect(approvalOf(asking(tip, { beyondMonth: true }))).toEqual({ amount: 500_000n });
  });

  it("shows what is left of the month after it, and of the site's budget that ends first", () => {
    const budgets = [budget("site_day", "300000"), budget("site_month", "200000"), budget("month", "600000")];
    expect(asking(approval({ budgets }))).toMatchObject({
      monthAfter: { left: 550_000n, limit: 1_000_000n },
      siteLeft: { of: "site_month", left: 200_000n },
    });
  });

  it("offers no month's limit where a day's or a payment's stands in the way, and none that is used up already", () => {
    const day = budget("site_day", "0");
    expect(asking(approval({ reason: day, budgets: [day] })).allowance).toBeNull();
    const month = budget("site_month", "20000");
    expect(asking(approval({ reason: month, budgets: [month] })).allowance?.choices[0]).toBe(2_000_000n);
  });

  it("does not pay while the wallet is paused", () => {
    const paused = asking(approval(), {}, { paused: true });
    expect(paused.paused).toBe(true);
    expect(approvalOf(paused)).toBeUndefined();
  });
});

describe("the question", () => {
  it("does not ask about something that is over or was never asked", () => {
    expect(show(approval({ id: "b".repeat(32) })).is).toBe("gone");
    expect(show(approval({ state: "declined" })).is).toBe("closed");
  });

  it("does not close as if all were well when the question vanishes unanswered", () => {
    expect(show(approval({ id: "b".repeat(32) }), { sent: "decline" }).is).toBe("closed");
    expect(show(approval({ id: "b".repeat(32) }), { sent: "approve" }).is).toBe("gone");
  });

  it.each([
    ["approved", "paying"],
    ["paying", "paying"],
    ["paid", "paid"],
    ["failed", "failed"],
  ] as const)("does not offer the button again once it is %s", (state, is) => {
    expect(show(approval({ state })).is).toBe(is);
  });

  it("does not wait for the background to say that it is paying", () => {
    expect(show(approval(), { sent: "approve" }).is).toBe("paying");
  });

  it("does not make an allowance that nobody asked for", () => {
    const screen = asking(approval());
    expect(screen.allowance).toEqual({
      choices: [1_000_000n, 2_000_000n, 5_000_000n],
      checked: false,
      limit: 1_000_000n,
    });
    expect(approvalOf(screen)).toEqual({ amount: 50_000n });
  });

  it("does not forget the limit that the reader chose", () => {
    expect(approvalOf(asking(approval(), { dontAskAgain: true, limit: micros(5_000_000) }))).toEqual({
      amount: 50_000n,
      allowance: 5_000_000n,
    });
  });

  it("does not offer a limit below the price", () => {
    const screen = asking(approval({ amount: "2500000", least: "2500000", most: "2500000" }));
    expect(screen.allowance?.choices).toEqual([5_000_000n, 10_000_000n, 20_000_000n]);
  });
});

describe("not enough balance", () => {
  const short = approval({ balanceAfter: null, missing: "30000" });

  it("does not lose the offer, and says what is missing", () => {
    expect(show(short)).toMatchObject({ is: "short", missing: 30_000n, amount: 50_000n, waitingFor: null });
  });

  it("does not offer to top up again while the checkout is open", () => {
    expect(show(short, {}, { topUps: [topUp()] })).toMatchObject({ is: "short", waitingFor: { id: "t1" } });
  });

  it("does not need the reader to come back once the balance is there", () => {
    expect(show(approval({ balanceAfter: "4970000", missing: null })).is).toBe("asking");
  });

  it("does not take more money into a frozen account", () => {
    expect(show(short, {}, { frozen: true })).toMatchObject({ is: "short", frozen: true });
  });
});

describe("a tip", () => {
  it("does not suggest another amount than the page's", () => {
    const screen = asking(tipApproval());
    expect(screen.tip).toMatchObject({
      presets: [250_000n, 500_000n, 1_000_000n, 2_000_000n],
      chosen: 500_000n,
    });
    expect(approvalOf(screen)).toEqual({ amount: 500_000n });
    expect(screen.balanceAfter).toBe(4_450_000n);
  });

  it("does not make presets outside the range, or twice the same", () => {
    expect(tipPresets({ amount: micros(30_000), least: micros(20_000), most: micros(100_000) })).toEqual([
      20_000n,
      30_000n,
      50_000n,
      100_000n,
    ]);
    expect(tipPresets({ amount: micros(50_000), least: micros(50_000), most: micros(50_000) })).toEqual([
      50_000n,
    ]);
  });

  it.each([
    ["", /Type an amount/],
    ["lots", /Type an amount/],
    ["5¢", /least here is 10¢/],
    ["25", /most here is \$20.00/],
    ["0.1005", /finer than the smallest coin/],
    ["$6", /You have \$4.95/],
  ])("does not pay %j", (ownAmount, problem) => {
    const screen = asking(tipApproval(), { ownAmount });
    expect(screen.problem).toMatch(problem);
    expect(approvalOf(screen)).toBeUndefined();
  });

  it("does not misread the reader's own amount", () => {
    expect(approvalOf(asking(tipApproval(), { ownAmount: "0.75" }))).toEqual({ amount: 750_000n });
    expect(approvalOf(asking(tipApproval(), { ownAmount: "75¢" }))).toEqual({ amount: 750_000n });
  });

  it("does not send someone away who can afford a smaller one", () => {
    const screen = asking(tipApproval({ balanceAfter: null, missing: "200000" }));
    expect(screen.tip?.chosen).toBe(250_000n);
    expect(approvalOf(screen)).toEqual({ amount: 250_000n });
  });

  it("asks for a top-up where even the least is too much", () => {
    expect(show(tipApproval({ balanceAfter: null, missing: "450000" }))).toMatchObject({
      is: "short",
      missing: 50_000n,
    });
  });

  it("does not become an allowance: the reader chooses each time", () => {
    expect(asking(tipApproval()).allowance).toBeNull();
  });
});

function show(
  asked: Approval,
  local: Partial<ApproveLocal> = {},
  change: Partial<WalletSnapshotJson> = {},
): ApproveScreen {
  const snapshot = parse(WalletSnapshot, { ...readySnapshot(0), approvals: [asked], ...change });
  return screen(snapshot, false, APPROVAL_ID, { ...LOCAL_AT_START, ...local });
}

function asking(
  asked: Approval,
  local: Partial<ApproveLocal> = {},
  snapshot: Partial<WalletSnapshotJson> = {},
): AskingScreen {
  const found = show(asked, local, snapshot);
  if (found.is !== "asking") throw new Error(`not asking but ${found.is}`);
  return found;
}
