/** Every boundary decodes what it is given with a schema; what does not fit is a `request_invalid` that says where. */
import * as v from "valibot";
import { TuppenceError } from "../shared/errors.ts";

/** @throws TuppenceError request_invalid, with the place and what stands there by right, never with what was sent */
export function decode<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new TuppenceError("request_invalid", {
    at: v.getDotPath(issue)?.slice(0, MAX_PLACE_LENGTH) ?? "body",
    expected: issue.expected?.slice(0, MAX_PLACE_LENGTH) ?? "another value",
  });
}

const MAX_PLACE_LENGTH = 100;
