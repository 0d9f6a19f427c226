/** Ids that nobody can guess and that mean nothing. */
import { toHex } from "../../shared/bytes.ts";
import type { Context } from "./context.ts";

const ID_BYTES = 16;

export function newId(context: Pick<Context, "ports">): string {
  return toHex(context.ports.random.bytes(ID_BYTES));
}
