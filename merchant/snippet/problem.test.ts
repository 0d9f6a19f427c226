import { expect, test } from "vitest";
import { isErrorCode, tellReader } from "../../shared/errors.ts";
import { WORDS } from "./problem.ts";

test.each(Object.entries(WORDS))(
  "the page's words for %s have not drifted from the wallet's",
  (code, words) => {
    expect(isErrorCode(code) && tellReader(code)).toBe(words);
  },
);
