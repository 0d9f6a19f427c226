import { describe, expect, it } from "vitest";
import { UiResults } from "../../../shared/protocol/ui.ts";
import { askWith, NO_ANSWER } from "./ask.ts";

const request = { kind: "ui", type: "startTip" } as const;

describe("askWith", () => {
  it.each([
    ["nobody listens", () => Promise.reject(new Error("no receiving end"))],
    ["nothing comes back", () => Promise.resolve(undefined)],
    ["the answer is of another shape", () => Promise.resolve({ ok: { approvalId: 5 } })],
  ])("tells the reader instead of throwing when %s", async (_case, send) => {
    expect(await askWith(send, request, UiResults.startTip)).toEqual({ error: NO_ANSWER });
  });

  it("does not lose the reason that the background gave", async () => {
    const error = {
      code: "nothing_to_tip",
      message: "This page has not told the wallet who could be tipped.",
    };
    expect(await askWith(() => Promise.resolve({ error }), request, UiResults.startTip)).toEqual({ error });
  });

  it("hands over what was asked for", async () => {
    const approvalId = "0".repeat(32);
    expect(await askWith(() => Promise.resolve({ ok: { approvalId } }), request, UiResults.startTip)).toEqual(
      { ok: { approvalId } },
    );
  });
});
