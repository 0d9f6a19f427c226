import { expect, test } from "vitest";
import { ruleAgainst } from "./robots.ts";

test.each([
  ["nothing is forbidden in an empty file", "", undefined],
  ["everyone", "User-agent: *\nDisallow: /", "Disallow: /"],
  ["somebody else", "User-agent: other\nDisallow: /", undefined],
  [
    "its own group counts, and not everyone's",
    "User-agent: *\nDisallow: /\n\nUser-agent: Googlebot\nAllow: /",
    undefined,
  ],
  [
    "a group of several",
    "User-agent: other\nUser-agent: googlebot\nDisallow: /articles",
    "Disallow: /articles",
  ],
  ["the longest rule counts", "User-agent: *\nDisallow: /\nAllow: /articles/", undefined],
  ["of two as long, the one that allows", "User-agent: *\nDisallow: /articles\nAllow: /articles", undefined],
  ["an empty rule forbids nothing", "User-agent: *\nDisallow:", undefined],
  ["anything between", "User-agent: *\nDisallow: /*.html$", "Disallow: /*.html$"],
  ["the end", "User-agent: *\nDisallow: /articles$", undefined],
  ["a comment", "User-agent: * # all\nDisallow: /articles # for now", "Disallow: /articles"],
])("what is forbidden is not called allowed, nor the other way round: %s", (_name, text, rule) => {
  expect(ruleAgainst(text, "/articles/one.html", "googlebot")).toBe(rule);
});
