/** Asks the background for something, and decodes what it answers. Never throws: an error is an answer too. */
import { type GenericSchema, type InferOutput, safeParse } from "valibot";
import type { PageError } from "../../../shared/protocol/page.ts";
import { type UiRequestJson, UiResponse } from "../../../shared/protocol/ui.ts";
import { NO_ANSWER_CODE } from "./error-text.ts";

export type Answer<T> = { readonly ok: T } | { readonly error: PageError };

export const NO_ANSWER: PageError = { code: NO_ANSWER_CODE, message: "" };

export async function askWith<S extends GenericSchema>(
  send: (message: unknown) => Promise<unknown>,
  request: UiRequestJson,
  schema: S,
): Promise<Answer<InferOutput<S>>> {
  const answer = await send(request).catch(() => undefined);
  const response = safeParse(UiResponse, answer);
  if (!response.success) return { error: NO_ANSWER };
  if ("error" in response.output) return response.output;
  const result = safeParse(schema, response.output.ok);
  return result.success ? { ok: result.output } : { error: NO_ANSWER };
}

/** Before the 2nd, 3rd … message. */
const PAUSES_MS: readonly number[] = [0, 100, 400, 1_000];

/**
 * Asks again while nobody answers: for what, done twice, is done once. The background may die with the message in its
 * hands, and the next one starts it anew; a reader who has clicked need not hear of that.
 */
export async function askUntilAnswered<S extends GenericSchema>(
  send: (message: unknown) => Promise<unknown>,
  request: UiRequestJson,
  schema: S,
  pause: (milliseconds: number) => Promise<void>,
): Promise<Answer<InferOutput<S>>> {
  for (const milliseconds of PAUSES_MS) {
    const answer = await askWith(send, request, schema);
    if (!("error" in answer) || answer.error !== NO_ANSWER) return answer;
    await pause(milliseconds);
  }
  return askWith(send, request, schema);
}
