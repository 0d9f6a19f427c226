import { expect, it } from "vitest";
import { ERRORS, isErrorCode, tellReader } from "../../../shared/errors.ts";
import { splitMessage } from "./notice.tsx";

it("does not cut any error's first sentence short, or lose the rest", () => {
  for (const code of Object.keys(ERRORS)) {
    if (!isErrorCode(code)) continue;
    expect(splitMessage(tellReader(code))).toEqual([
      ERRORS[code].title,
      `${ERRORS[code].safe} ${ERRORS[code].next}`,
    ]);
  }
});

it("does not drop a message of one sentence", () => {
  expect(splitMessage("Something happened.")).toEqual(["Something happened.", ""]);
});
