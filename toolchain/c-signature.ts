// C signature: the head of a printed function, and the word for what cannot be printed.
//
// Owner: none, pure functions.
import { cType } from "./c-operators.ts";
import { isInteger } from "./c-values.ts";
import type { TypeName } from "../wasm/opcodes.ts";
import type { FunctionType } from "./artifact-module.ts";

/** The artifact holds something that has no C here. The message is one clear line. */
export class PrintRefusal extends Error {}

/** `int32_t name(int32_t a, int64_t b)`: the head shared by prototype and definition. */
export function signature(name: string, type: FunctionType, parameters?: string[]): string {
  const result = type.results[0];
  const list = type.params.map((param, i) => {
    const formatted = cType(integer(param, name));
    return parameters === undefined ? formatted : `${formatted} ${parameters[i]}`;
  });
  if (type.results.length > 1) throw new PrintRefusal(`${name}: functions with several results are outside the subset`);
  const returned = result === undefined ? "void" : cType(integer(result, name));
  return `${returned} ${name}(${list.length === 0 ? "void" : list.join(", ")})`;
}

/** The type, if it is one of the two that the subset has. where: the function, for the refusal. */
export function integer(type: TypeName, where: string): "i32" | "i64" {
  if (!isInteger(type)) throw new PrintRefusal(`${where}: ${type} values are outside the subset`);
  return type;
}
