import { expect, it } from "vitest";
import { inTurn } from "./in-turn.ts";

it("does not begin the next piece of work before the last one ended, nor change their order", async () => {
  const oneAtATime = inTurn();
  const steps: string[] = [];
  const work = (name: string, turns: number) => async () => {
    steps.push(`${name} begins`);
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    steps.push(`${name} ends`);
    return name;
  };
  const done = await Promise.all([oneAtATime(work("long", 50)), oneAtATime(work("short", 0))]);
  expect(steps).toEqual(["long begins", "long ends", "short begins", "short ends"]);
  expect(done).toEqual(["long", "short"]);
});

it("does not stop at a piece of work that fails, and hands its error to whoever gave it", async () => {
  const oneAtATime = inTurn();
  const failed = oneAtATime(() => Promise.reject(new Error("no window")));
  const next = oneAtATime(async () => "done");
  await expect(failed).rejects.toThrow("no window");
  await expect(next).resolves.toBe("done");
});
