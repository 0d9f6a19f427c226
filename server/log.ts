/**
 * The provider's log: JSON lines that name nobody. What is logged is chosen field by field; the danger is an error, which
 * libraries fill with what they were working on (a request's bytes, a record's text, an address). Of an error only its
 * kind, its place and a shortened message are written, never its own properties.
 */
import { type DestinationStream, type Logger, type LoggerOptions, pino } from "pino";

const MAX_MESSAGE_LENGTH = 300;
const MAX_CAUSES = 3;
/** Ids, keys, coins and signatures, in whatever encoding: long runs of such characters with a digit in them. */
const LONG_RUN = /(?=[\w+/=-]*[0-9])[\w+/=-]{16,}/g;
/** What a message quotes is what somebody sent or stored. */
const QUOTED = /(["'`])(?:(?!\1).){1,}\1?/gs;
const ADDRESS = /\b\d{1,3}(?:\.\d{1,3}){3}\b|(?:[0-9a-f]{0,4}:){3,}[0-9a-f.]*/gi;

/** @param destination standard output, unless a test wants to read it */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    // The framework hands requests, answers and errors to its own lines.
    serializers: { err: describeError, error: describeError, req: () => undefined, res: describeAnswer },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

function describeError(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, message, stack = "" } = error;
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  const cause =
    error.cause === undefined || depth >= MAX_CAUSES ? {} : { cause: describeError(error.cause, depth + 1) };
  // The stack begins with the message; only the frames are kept.
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  return { type: name, ...code, message: withoutContent(message), stack: frames.join("\n"), ...cause };
}

function withoutContent(message: string): string {
  return message
    .slice(0, MAX_MESSAGE_LENGTH)
    .replace(QUOTED, "$1…$1")
    .replace(ADDRESS, "…")
    .replace(LONG_RUN, "…");
}

function describeAnswer(answer: unknown): object {
  return answer !== null && typeof answer === "object" && "statusCode" in answer
    ? { statusCode: answer.statusCode }
    : {};
}
