// Import list: the functions that an artifact may import, read from the file that declares them.
//
// Owner: kernel/machine.ts and user/os.ts; this only reads them. asc turns each ambient declaration there into the
// import `FILE.NAME`.
import type { TypeName } from "../wasm/opcodes.ts";
import type { FunctionType } from "./artifact-module.ts";

/** Types by `module.base`. */
export type ImportList = ReadonlyMap<string, FunctionType>;

const DECLARATION = /^export declare function (\w+)\(([^)]*)\): (\w+);/gm;
const TYPES: ReadonlyMap<string, TypeName> = new Map([
  ["i32", "i32"],
  ["u32", "i32"],
  ["bool", "i32"],
  ["i64", "i64"],
  ["u64", "i64"],
]);

/** Reads a declaration file's text. module: the import module's name. Throws one clear line at a type it does not know. */
export function readImportList(module: string, text: string): ImportList {
  const list = new Map<string, FunctionType>();
  for (const [, name = "", parameters = "", result = ""] of text.matchAll(DECLARATION)) {
    const params = parameters
      .split(",")
      .filter((one) => one.trim() !== "")
      .map((one) => typeOf(one.split(":")[1]?.trim() ?? "", name));
    list.set(`${module}.${name}`, { params, results: result === "void" ? [] : [typeOf(result, name)] });
  }
  return list;
}

function typeOf(formatted: string, where: string): TypeName {
  const type = TYPES.get(formatted);
  if (type === undefined) throw new Error(`import list: ${where} has a parameter or result of type "${formatted}"`);
  return type;
}

/** `(i32, i64) -> i32`. */
export function formatType(type: FunctionType): string {
  return `(${type.params.join(", ")}) -> ${type.results.join(", ") || "nothing"}`;
}
