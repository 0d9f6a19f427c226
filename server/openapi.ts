/** The OpenAPI description comes from the schemas that the routes decode with: there is no second copy of a rule. */
import { toJsonSchema } from "@valibot/to-json-schema";
import type { FastifySchema } from "fastify";
import type * as v from "valibot";

export interface RouteDescription {
  readonly summary: string;
  readonly tags: readonly (
    | "coins"
    | "payments"
    | "merchants"
    | "accounts"
    | "top-ups"
    | "provider"
    | "operator"
    | "dashboard"
  )[];
  readonly description?: string;
  readonly body?: v.GenericSchema;
  /** By status. */
  readonly response?: Readonly<Record<number, v.GenericSchema>>;
  readonly hide?: boolean;
}

/** A Fastify schema that documents and does not validate: decoding is `decode`'s. */
export function describe({
  summary,
  tags,
  description,
  body,
  response,
  hide,
}: RouteDescription): FastifySchema {
  const responses = Object.entries(response ?? {}).map(([status, schema]) => [
    status,
    { description: summary, ...jsonSchema(schema) },
  ]);
  return {
    summary,
    tags: [...tags],
    ...(description === undefined ? {} : { description }),
    ...(hide === undefined ? {} : { hide }),
    ...(body === undefined ? {} : { body: jsonSchema(body) }),
    ...(responses.length === 0 ? {} : { response: Object.fromEntries(responses) }),
  };
}

/** In the form of the wire, before a schema's own transformations. */
function jsonSchema(schema: v.GenericSchema): object {
  const { $schema: _, ...rest } = toJsonSchema(schema, { typeMode: "input", errorMode: "ignore" });
  return rest;
}
