import { describe, expect, it } from "vitest";
import { UiResults } from "../../../shared/protocol/ui.ts";
import { askingAhead, askUntilAnswered, askWith, NO_ANSWER } from "./ask.ts";

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

describe("askingAhead", () => {
  const spending = { kind: "ui", type: "spending", period: "2026-11" } as const;

  function setUp(answers: readonly unknown[]) {
    const sent: unknown[] = [];
    const timers: (() => void)[] = [];
    const asking = askingAhead(
      async (message) => {
        sent.push(message);
        const answer = answers[sent.length - 1];
        if (answer instanceof Error) throw answer;
        return answer;
      },
      (_milliseconds, run) => timers.push(run),
    );
    return { asking, sent, timers };
  }

  it("answers once with what was asked ahead, and asks anew after that", async () => {
    const { asking, sent } = setUp([{ ok: 1 }, { ok: 2 }]);
    asking.ahead(spending);
    expect(await asking.send({ ...spending })).toEqual({ ok: 1 });
    expect(sent).toEqual([spending]);
    expect(await asking.send(spending)).toEqual({ ok: 2 });
  });

  it("gives nobody the answer to another question", async () => {
    const { asking } = setUp([{ ok: 1 }, { ok: 2 }]);
    asking.ahead(spending);
    expect(await asking.send({ ...spending, period: "2026-10" })).toEqual({ ok: 2 });
  });

  it.each([
    ["an error of that moment", { error: { code: "wallet_locked", message: "" } }],
    ["nobody who listened", new Error("no receiving end")],
  ])("asks again where there was %s", async (_case, first) => {
    const { asking } = setUp([first, { ok: 2 }]);
    asking.ahead(spending);
    expect(await asking.send(spending)).toEqual({ ok: 2 });
  });

  it("forgets what nobody wanted soon", async () => {
    const { asking, timers } = setUp([{ ok: 1 }, { ok: 2 }]);
    asking.ahead(spending);
    for (const end of timers) end();
    expect(await asking.send(spending)).toEqual({ ok: 2 });
  });

  it("gives an answer that was long in coming to who waits for it", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const { asking, sent, timers } = setUp([promise]);
    asking.ahead(spending);
    const answer = asking.send(spending);
    for (const end of timers) end();
    resolve({ ok: 1 });
    expect(await answer).toEqual({ ok: 1 });
    expect(sent).toHaveLength(1);
  });

  it("gives one answer to one of two who ask at once", async () => {
    const { asking } = setUp([{ ok: 1 }, { ok: 2 }]);
    asking.ahead(spending);
    expect(await Promise.all([asking.send(spending), asking.send(spending)])).toEqual([{ ok: 1 }, { ok: 2 }]);
  });
});
