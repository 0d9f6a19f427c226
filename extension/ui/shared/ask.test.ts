import { describe, expect, it } from "vitest";
import { UiResults } from "../../../shared/protocol/ui.ts";
import { askUntilAnswered, askWith, NO_ANSWER } from "./ask.ts";

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

describe("askUntilAnswered", () => {
  const approvalId = "0".repeat(32);

  it("does not make the reader click again because the background died with the first message", async () => {
    const sent: unknown[] = [];
    const send = async (message: unknown) => {
      sent.push(message);
      if (sent.length < 3) throw new Error("the message channel closed");
      return { ok: { approvalId } };
    };
    expect(await askUntilAnswered(send, request, UiResults.startTip, async () => {})).toEqual({
      ok: { approvalId },
    });
    expect(sent).toEqual([request, request, request]);
  });

  it("does not ask again what was answered with an error", async () => {
    const error = { code: "wallet_paused", message: "The wallet is paused." };
    let sent = 0;
    const send = async () => {
      sent += 1;
      return { error };
    };
    expect(await askUntilAnswered(send, request, UiResults.startTip, async () => {})).toEqual({ error });
    expect(sent).toBe(1);
  });

  it("does not ask for ever", async () => {
    const send = () => Promise.reject(new Error("no receiving end"));
    expect(await askUntilAnswered(send, request, UiResults.startTip, async () => {})).toEqual({
      error: NO_ANSWER,
    });
  });
});
