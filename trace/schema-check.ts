// Schema check: whether a value is what a schema of schema.ts asks for, and if not, what is wrong first, in a few words.
//
// Owner: none, a pure function. Covers what `Schema` has and no more of JSON Schema.
// Partners: trace-file.ts; schema.test.ts, which compares it with an independent validator.

import type { Schema } from "./schema.ts";

/** `t is "x": give a whole number, 0 or more`; undefined when nothing is wrong. path: of the value, for the message. */
export function faultOf(schema: Schema, value: unknown, path = ""): string | undefined {
  if (schema.const !== undefined && value !== schema.const) return refusal(path, value, JSON.stringify(schema.const));
  if (schema.enum !== undefined && !schema.enum.includes(value as string | null))
    return refusal(path, value, `one of ${schema.enum.join(", ")}`);
  const types = typeof schema.type === "string" ? [schema.type] : schema.type;
  if (types !== undefined && !types.some((type) => isOfType(type, value)))
    return refusal(path, value, types.map((type) => TYPE_NAMES[type] ?? type).join(" or "));
  if (schema.minimum !== undefined && typeof value === "number" && value < schema.minimum)
    return refusal(path, value, `a number, ${schema.minimum} or more`);
  if (Array.isArray(value)) return arrayFault(schema, value, path);
  if (typeof value === "object" && value !== null) return objectFault(schema, value as Fields, path);
  return undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const TYPE_NAMES: Readonly<Record<string, string>> = {
  integer: "a whole number",
  string: "a text",
  null: "null",
  array: "a list",
  object: "an object",
};

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case "integer":
      return Number.isSafeInteger(value);
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}

function arrayFault(schema: Schema, values: readonly unknown[], path: string): string | undefined {
  const { items, minItems = 0, maxItems = Infinity } = schema;
  if (values.length < minItems || values.length > maxItems)
    return `${path} has ${values.length} entries: give ${minItems}`;
  if (items === undefined) return undefined;
  for (const [index, value] of values.entries()) {
    const fault = faultOf(items, value, `${path}[${index}]`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function objectFault(schema: Schema, fields: Fields, path: string): string | undefined {
  const { properties = {}, required = [], additionalProperties } = schema;
  const prefix = path === "" ? "" : `${path}.`;
  const missing = required.find((name) => !Object.hasOwn(fields, name));
  if (missing !== undefined) return `${prefix}${missing} is missing`;
  for (const [name, value] of Object.entries(fields)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (property === undefined && additionalProperties === false) return `${prefix}${name} is no field of it`;
    const fault = property === undefined ? undefined : faultOf(property, value, `${prefix}${name}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function refusal(path: string, value: unknown, wanted: string): string {
  const shown = JSON.stringify(value) ?? String(value);
  return `${path === "" ? "the line" : path} is ${shown.length > 40 ? `${shown.slice(0, 40)}…` : shown}: give ${wanted}`;
}
