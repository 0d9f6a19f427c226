import { expect, test } from "vitest";
import { addedWords, fileTexts, isLongEnough, makeLeakFinder } from "./leak.ts";

const words = (from: number, to: number, letter = "w") =>
  Array.from({ length: to - from }, (_, index) => `${letter}${from + index}`).join(" ");

test("a run of twelve paid words is found wherever it begins, and one of eleven is not", () => {
  const find = makeLeakFinder([
    { owner: "other.html", html: `<p>${words(0, 40, "o")}</p>` },
    { owner: "mill.html", html: `<p>${words(0, 40)}</p>` },
  ]);
  for (let from = 0; from + 12 <= 40; from++) {
    const around = (run: string) => `${words(0, 9, "free")} ${run} ${words(9, 20, "free")}`;
    expect(find(around(words(from, from + 12)))).toEqual({ owner: "mill.html", run: words(from, from + 12) });
    expect(find(around(words(from, from + 11)))).toBeUndefined();
  }
});

test("a paid text that is shorter is found as a whole only, and one without words nowhere", () => {
  const find = makeLeakFinder([
    { owner: "a", html: "<p>Three short words</p>" },
    { owner: "b", html: "<img src=x>" },
  ]);
  expect(find("he said: three, short; WORDS!")?.owner).toBe("a");
  expect(find("three short")).toBeUndefined();
});

test("a text in which the same words come again and again is not passed over for the first of them", () => {
  const find = makeLeakFinder([{ owner: "a", html: `${"ding dong ".repeat(50)}${words(0, 12)}` }]);
  expect(find(`${"ding dong ".repeat(5)} and ${words(0, 12)}`)?.run).toBe(words(0, 12));
});

test("the letters of JSON are read behind their escapes", () => {
  const find = makeLeakFinder([{ owner: "a", html: words(0, 12) }]);
  const json = JSON.stringify({ body: words(0, 12) }).replaceAll("w", "\\u0077");
  expect(fileTexts(json).map(find)).toContainEqual(expect.objectContaining({ owner: "a" }));
});

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
