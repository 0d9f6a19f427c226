/** What the pages ask the provider: same origin, JSON, and an answer that fits its schema or a refusal in words. */
import * as v from "valibot";
import { ERRORS, type ErrorCode, isErrorCode } from "../../../shared/errors.ts";

/** What a person is told: what happened, and what is safe and what to do. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: ErrorCode | "no_answer";
  readonly rest: string;

  constructor(code: Refusal["code"], details: Details = {}) {
    const { title, safe, next } = code === "no_answer" ? NO_ANSWER : ERRORS[code];
    super(title);
    this.code = code;
    // Where a field is not what it should be, the provider says which.
    this.rest = [safe, next, details.problem].filter(Boolean).join(" ");
  }
}

interface Details {
  readonly problem?: string | undefined;
}

const NO_ANSWER = {
  title: "The provider did not answer.",
  safe: "What it had not received was not done.",
  next: "Check your connection, then try again.",
};

const Problem = v.object({
  code: v.string(),
  problem: v.optional(v.string()),
});
/** Answers that say nothing but that it was done. */
export const Done = v.object({});

/** @throws Refusal */
export async function call<S extends v.GenericSchema>(
  method: "GET" | "POST" | "DELETE",
  path: string,
  schema: S,
  body?: object,
): Promise<v.InferOutput<S>> {
  const response = await send(method, path, body);
  const json: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw refusalOf(json);
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) throw new Refusal("provider_answer_invalid");
  return parsed.output;
}

async function send(method: string, path: string, body: object | undefined): Promise<Response> {
  try {
    return await fetch(path, {
      method,
      credentials: "same-origin",
      ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
  } catch {
    throw new Refusal("no_answer");
  }
}

function refusalOf(json: unknown): Refusal {
  const problem = v.safeParse(Problem, json);
  if (!problem.success || !isErrorCode(problem.output.code)) return new Refusal("internal");
  return new Refusal(problem.output.code, { problem: problem.output.problem });
}
