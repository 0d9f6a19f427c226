import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { createTurns, MAX_WAITING } from "./turns.ts";

it("lets nobody begin before whoever came earlier has ended, however that was", async () => {
  const inTurn = createTurns();
  const seen: string[] = [];
  const work = (name: string, milliseconds: number) => async () => {
    seen.push(`${name} begins`);
    await delay(milliseconds);
    seen.push(`${name} ends`);
    if (name === "first") throw new Error("failed");
    return name;
  };
  const first = inTurn("a", work("first", 20));
  const others = Promise.all([inTurn("a", work("second", 10)), inTurn("a", work("third", 0))]);
  await expect(first).rejects.toThrow("failed");
  expect(await others).toEqual(["second", "third"]);
  expect(seen).toEqual(["first", "second", "third"].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

it("lets nobody wait for another key", async () => {
  const inTurn = createTurns();
  const { promise, resolve } = Promise.withResolvers<void>();
  const held = inTurn("a", () => promise);
  expect(await inTurn("b", async () => "b")).toBe("b");
  resolve();
  await held;
});

it("refuses whoever would wait behind too many, and takes others again after that", async () => {
  const inTurn = createTurns();
  const { promise, resolve } = Promise.withResolvers<void>();
  const held = Array.from({ length: MAX_WAITING }, () => inTurn("a", () => promise));
  await expect(inTurn("a", async () => {})).rejects.toMatchObject({ code: "overloaded" });
  expect(await inTurn("b", async () => "b")).toBe("b");
  resolve();
  await Promise.all(held);
  expect(await inTurn("a", async () => "a")).toBe("a");
});
