import { expect, it } from "vitest";
import { rememberRecent } from "./recent.ts";

/** What answers with this text, and how often it had to be worked out. */
function remembering(mostCharacters: number) {
  const recent = rememberRecent(mostCharacters);
  const workedOut: string[] = [];
  const ask = (name: string, text = name.toUpperCase()) =>
    recent(name, () => {
      workedOut.push(name);
      return text;
    });
  return { ask, workedOut };
}

it("works out again only what it has forgotten, and forgets what was not asked for longest", () => {
  const { ask, workedOut } = remembering(4);
  expect(["a", "b", "a", "b", "a"].map((name) => ask(name))).toEqual(["A", "B", "A", "B", "A"]);
  expect(workedOut).toEqual(["a", "b"]);
  ask("c");
  expect(ask("a")).toBe("A");
  expect(workedOut).toEqual(["a", "b", "c"]);
  ask("b");
  expect(workedOut).toEqual(["a", "b", "c", "b"]);
});

it("keeps less of what is longer, and nothing that is longer than all it may keep", () => {
  const { ask, workedOut } = remembering(10);
  expect([ask("long", "0123456789"), ask("long", "0123456789")]).toEqual(["0123456789", "0123456789"]);
  ask("a", "1");
  ask("b", "1234567");
  ask("a", "1");
  ask("c", "1");
  ask("b", "1234567");
  expect(workedOut).toEqual(["long", "long", "a", "b", "c", "b"]);
});

it("remembers nothing of what could not be worked out", () => {
  const recent = rememberRecent(100);
  const fail = () => {
    throw new Error("the tag does not fit");
  };
  expect(() => recent("a", fail)).toThrow("does not fit");
  expect(recent("a", () => "found")).toBe("found");
});
