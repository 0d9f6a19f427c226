/** Asks the background for something, and decodes what it answers. Never throws: an error is an answer too. */
import { type GenericSchema, type InferOutput, is, object, safeParse, unknown } from "valibot";
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

/** An answer is old after so long: what was asked for ahead is needed at once, or not at all. */
const AHEAD_FOR_MS = 2_000;

export interface AskingAhead {
  /** As the `send` that it was made of; what was asked ahead is not sent a second time. */
  send(message: unknown): Promise<unknown>;
  /**
   * For what a page asks as soon as it has a snapshot: the answer comes together with that. Whoever calls it listens for
   * changes already, so that one in between is heard of.
   */
  ahead(request: UiRequestJson): void;
}

export function askingAhead(
  send: (message: unknown) => Promise<unknown>,
  after: (milliseconds: number, run: () => void) => void,
): AskingAhead {
  const answers = new Map<string, Promise<unknown>>();
  return {
    ahead: (request) => {
      const name = JSON.stringify(request);
      const answer = send(request).catch(() => undefined);
      answers.set(name, answer);
      after(AHEAD_FOR_MS, () => answers.delete(name));
    },
    send: (message) => {
      const name = JSON.stringify(message);
      const asked = answers.get(name);
      answers.delete(name);
      // An error then need not be one now: the wallet was locked, or nobody was there yet.
      return asked?.then((answer) => (is(Answered, answer) ? answer : send(message))) ?? send(message);
    },
  };
}

const Answered = object({ ok: unknown() });
