import { expect, it } from "vitest";
import { ERRORS } from "../../../shared/errors.ts";
import { ENGLISH } from "../fixtures/english.ts";
import { NO_ANSWER } from "./ask.ts";
import { ERROR_WORDS, errorText } from "./error-text.ts";
import { speak } from "./text.tsx";

speak(ENGLISH);

it("does not tell a reader something else than the map of errors says", () => {
  const told = new Map<string, readonly [string, string]>(
    Object.entries(ERRORS).map(([code, { title, safe, next }]) => [code, [title, `${safe} ${next}`]]),
  );
  for (const code of Object.keys(ERROR_WORDS)) {
    if (code !== NO_ANSWER.code) expect([code, errorText(code)]).toEqual([code, told.get(code)]);
  }
});

it("does not leave a reader without words when nobody answers, or when the error is not for readers", () => {
  expect(errorText(NO_ANSWER.code)).toEqual([
    "The wallet did not answer.",
    "Your money is safe: nothing is charged twice. Close this and try again.",
  ]);
  for (const code of ["admin_token_invalid", "no_such_code", "toString"])
    expect(errorText(code)).toEqual(errorText("internal"));
});
