import { expect, test } from "vitest";
import { addedWords, isLongEnough } from "./leak.ts";

const FREE = "Between two tides a mill stands still, and its miller has time for whoever comes by the gate.";
const MORE = "The wheel turns when the pond is fuller than the river, about five hours of every twelve.";

test("what one text has more than the other is counted in words", () => {
  expect(addedWords(FREE, FREE)).toEqual([]);
  expect(addedWords(`${FREE} ${MORE}`, FREE)).toHaveLength(17);
  expect(addedWords(FREE, `${FREE} ${MORE}`)).toEqual([]);
});

test("a page that is made anew is not another text: one word that changed counts as one", () => {
  const page = (date: string) => `${MORE} ${date} ${FREE}`;
  expect(addedWords(page("Monday"), page("Tuesday"))).toEqual(["monday"]);
});

test("a text that is shorter than a run proves nothing", () => {
  expect(isLongEnough("<p>The wheel turns.</p>")).toBe(false);
  expect(isLongEnough(`<p>${MORE}</p>`)).toBe(true);
});
