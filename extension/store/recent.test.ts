import { expect, it } from "vitest";
import { rememberRecent } from "./recent.ts";

it("works out again only what it has forgotten, and forgets what was not asked for longest", () => {
  const workedOut: string[] = [];
  const recent = rememberRecent<string | undefined>(2);
  const ask = (name: string) =>
    recent(name, () => {
      workedOut.push(name);
      return name === "nothing" ? undefined : name.toUpperCase();
    });
  expect([ask("a"), ask("nothing"), ask("a"), ask("nothing"), ask("a")]).toEqual([
    "A",
    undefined,
    "A",
    undefined,
    "A",
  ]);
  expect(workedOut).toEqual(["a", "nothing"]);
  ask("c");
  expect(ask("a")).toBe("A");
  ask("nothing");
  expect(workedOut).toEqual(["a", "nothing", "c", "nothing"]);
});

it("remembers nothing of what could not be worked out", () => {
  const recent = rememberRecent<string>(2);
  const fail = () => {
    throw new Error("the tag does not fit");
  };
  expect(() => recent("a", fail)).toThrow("does not fit");
  expect(recent("a", () => "found")).toBe("found");
});
