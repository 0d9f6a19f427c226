/** A statement as an answer, in the form that was asked for, piece by piece. */
import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import * as v from "valibot";
import { decode } from "../decode.ts";
import { formatStatement, STATEMENT_CSV, STATEMENT_JSON } from "./statement-formats.ts";
import type { SignedStatement } from "./statement-root.ts";

const StatementQuery = v.object({ format: v.optional(v.picklist(["json", "csv"]), "json") });

/** @throws TuppenceError request_invalid */
export function sendStatement(reply: FastifyReply, statement: SignedStatement, query: unknown): Readable {
  if (decode(StatementQuery, query).format === "json") {
    reply.header("content-type", "application/json; charset=utf-8");
    return Readable.from(formatStatement(statement, STATEMENT_JSON));
  }
  reply
    .header("content-type", "text/csv; charset=utf-8")
    .header("content-disposition", `attachment; filename="${statement.id}.csv"`);
  return Readable.from(formatStatement(statement, STATEMENT_CSV));
}
