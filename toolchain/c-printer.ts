// C printer: an artifact as C that reads like a C programmer's, one C function a wasm function.
//
// kernel.wasm -> kernel.c (code), kernel-data.c (what linear memory holds at first), kernel.h (prototypes). The code
// calls imports as `machine_NAME(...)`; the header named by `callsHeader` declares them, as static inline functions
// where that is cheaper. The data is a table `kernel_segments` in a file of its own, so that a linker script can
// place it apart from the code; the machine copies it into zeroed memory before the first call.
//
// Owner: none, a pure function: the same artifact prints the same text.
// Invariant: what has no exact C here is refused in one line, never approximated.
// Not exact, by design: a plain access whose address lies in the last `offset` bytes below 4 GiB wraps to the
// memory's first bytes, where wasm would trap; asc.ts keeps the first 4 KiB empty so that virt can leave them unmapped.
// Pairs with: wasm-c.h, c-flags.ts (how the C must be compiled).
import { EXTERNAL } from "../wasm/sections.ts";
import { assertDefined } from "../wasm/assert-defined.ts";
import { FunctionPrinter } from "./c-function.ts";
import { functionNames, identifier } from "./c-names.ts";
import { globalText } from "./c-access.ts";
import { cConstant } from "./c-operators.ts";
import { I32 } from "../wasm/opcodes.ts";
import { PrintRefusal, signature } from "./c-signature.ts";
import { type ArtifactModule, readArtifactModule } from "./artifact-module.ts";

export interface PrintOptions {
  /** Begins the name of every export, with its underscore: `kernel_`. */
  prefix: string;
  /** Where linear memory begins, a C constant: `0`, `0x40000000`. */
  memoryBase: string;
  /** Header that declares the imports, as written in the include: `machine-calls.h`. */
  callsHeader: string;
  /** Where mutable globals lie, eight bytes each, down from this C constant; they are refused where this is left out. */
  globalsTop?: string;
}

export interface PrintedC {
  /** `kernel.c`: includes wasm-c.h, the calls header and kernel.h. */
  code: string;
  /** `kernel-data.c`: `kernel_segments[]` and `kernel_segment_count`. */
  data: string;
  /** `kernel.h`: prototypes of the exports and the table's declaration. */
  header: string;
}

export const KERNEL_PRINT: PrintOptions = { prefix: "kernel_", memoryBase: "0", callsHeader: "machine-calls.h" };
/** Mutable globals are a task's own: they lie at the top of its stack (USER_STACK_TOP, USER_GLOBALS_BYTES). */
export const USER_PRINT: PrintOptions = {
  prefix: "user_",
  memoryBase: "0x40000000",
  callsHeader: "os-calls.h",
  globalsTop: "UINT64_C(0x60000000)",
};
/** What fits there. */
export const MUTABLE_GLOBALS_MAX = 64;

/** Prints an artifact. Throws PrintRefusal, MalformedModule or UnsupportedModule, each one clear line. */
export function printC(wasm: Uint8Array, options: PrintOptions): PrintedC {
  const module = readArtifactModule(wasm);
  const memoryBytes = checkModule(module);
  const names = functionNames(module, options.prefix);
  return {
    code: printCode(module, names, memoryBytes, options),
    data: printData(module, options),
    header: printHeader(module, memoryBytes, options),
  };
}

/** Refuses what is wrong with the module as a whole; the size of its memory in bytes. */
function checkModule(module: ArtifactModule): number {
  const { memory, table, start, data } = module.wasm;
  if (memory === undefined) throw new PrintRefusal("C printer: not exactly one memory");
  if (memory.maximum !== memory.initial) throw new PrintRefusal("C printer: the memory can grow");
  if (table !== undefined) throw new PrintRefusal("C printer: tables are outside the subset");
  if (start !== undefined) throw new PrintRefusal("C printer: a start function is outside the subset");
  if (data.some(({ passive }) => passive))
    throw new PrintRefusal("C printer: passive data segments are outside the subset");
  const identifiers = module.exports.filter((one) => one.kind === EXTERNAL.function).map((one) => identifier(one.name));
  const twice = identifiers.find((name, i) => identifiers.indexOf(name) !== i);
  if (twice !== undefined) throw new PrintRefusal(`C printer: two exports would both be called ${twice}`);
  for (const segment of data)
    if (segment.offset + segment.bytes.length > memory.initial * 65536)
      throw new PrintRefusal(`C printer: the data at ${segment.offset} does not fit the memory`);
  return memory.initial * 65536;
}

function printCode(module: ArtifactModule, names: string[], memoryBytes: number, options: PrintOptions): string {
  const { globalsTop } = options;
  const context = { module, names, memoryBytes, globalsTop };
  const exported = new Set(module.exports.filter((one) => one.kind === EXTERNAL.function).map((one) => one.index));
  const prototypes: string[] = [];
  const definitions: string[] = [];
  module.functions.forEach((fn, index) => {
    if (fn.kind === "imported") return;
    const name = assertDefined(names.at(index));
    // What to inline was decided in the artifact; one function stays one function, and stack use can be added up.
    const linkage = exported.has(index) ? "" : "static ";
    if (linkage !== "") prototypes.push(`__attribute__((noinline)) ${linkage}${signature(name, fn.type)};`);
    definitions.push(`// ${fn.name}\n${linkage}${new FunctionPrinter(fn, name, context).print()}`);
  });
  return [
    "// Printed from WebAssembly. Changes belong in the TypeScript sources.",
    "// A comparison that always holds was the optimizer's to find; here it is no mistake.",
    '#pragma GCC diagnostic ignored "-Wtype-limits"',
    '#pragma GCC diagnostic ignored "-Wtautological-compare"',
    '#pragma GCC diagnostic ignored "-Wbool-compare"',
    `#define WASM_MEMORY_BASE ${options.memoryBase}`,
    '#include "wasm-c.h"',
    `#include "${options.callsHeader}"`,
    `#include "${headerName(options)}"`,
    "",
    ...prototypes,
    "",
    ...definitions,
    ...aliases(module, names, options),
    ...initialGlobals(module, options),
  ].join("\n");
}

/** `user_set_globals`: gives each mutable global its first value. */
function initialGlobals({ wasm: { globals } }: ArtifactModule, { globalsTop, prefix }: PrintOptions): string[] {
  if (globalsTop === undefined) return [];
  const assignments = globals.flatMap(({ mutable, type, initial }, index) =>
    mutable && initial !== 0n
      ? [`  ${globalText(globals, index, globalsTop)} = ${cConstant(type === I32 ? "i32" : "i64", initial)};`]
      : [],
  );
  return [`void ${prefix}set_globals(void) {`, ...assignments, "}", ""];
}

/** A function exported under several names: the later names call the first. */
function aliases(module: ArtifactModule, names: string[], options: PrintOptions): string[] {
  return otherExports(module, names, options).map(({ name, index }) => {
    const fn = assertDefined(module.functions.at(index));
    const parameters = fn.type.params.map((_, i) => `a${i}`);
    const result = fn.type.results.length > 0 ? "return " : "";
    return `${signature(name, fn.type, parameters)} {\n  ${result}${names[index]}(${parameters.join(", ")});\n}\n`;
  });
}

function otherExports(
  module: ArtifactModule,
  names: string[],
  options: PrintOptions,
): { name: string; index: number }[] {
  return module.exports
    .filter((one) => one.kind === EXTERNAL.function && names[one.index] !== exportName(one.name, options))
    .map((one) => ({ name: exportName(one.name, options), index: one.index }));
}

function exportName(name: string, options: PrintOptions): string {
  return options.prefix + identifier(name);
}

function headerName(options: PrintOptions): string {
  return `${options.prefix.replace(/_$/, "")}.h`;
}

function printHeader(module: ArtifactModule, memoryBytes: number, options: PrintOptions): string {
  const upper = options.prefix.toUpperCase();
  const functions = module.exports
    .filter((one) => one.kind === EXTERNAL.function)
    .map((one) => `${signature(exportName(one.name, options), assertDefined(module.functions.at(one.index)).type)};`);
  return [
    "// Printed from WebAssembly. Changes belong in the TypeScript sources.",
    `#ifndef PRINTED_${upper}H`,
    `#define PRINTED_${upper}H`,
    "#include <stdint.h>",
    "",
    `#define ${upper}MEMORY_BYTES ${memoryBytes}`,
    "",
    "struct wasm_segment;",
    `extern const struct wasm_segment ${options.prefix}segments[];`,
    `extern const uint32_t ${options.prefix}segment_count;`,
    "",
    ...functions,
    ...(options.globalsTop === undefined ? [] : [`void ${options.prefix}set_globals(void);`]),
    "#endif",
    "",
  ].join("\n");
}

function printData(module: ArtifactModule, options: PrintOptions): string {
  const arrays = module.wasm.data.map((segment, i) => {
    const rows: string[] = [];
    for (let at = 0; at < segment.bytes.length; at += 20)
      rows.push(`  ${Array.from(segment.bytes.subarray(at, at + 20), String).join(", ")},`);
    return `static const uint8_t segment_${i}[] = {\n${rows.join("\n")}\n};\n`;
  });
  // An empty table still needs an entry: C has no empty arrays.
  const entries = module.wasm.data.map((one, i) => `  {${one.offset}, ${one.bytes.length}, segment_${i}},`);
  if (entries.length === 0) entries.push("  {0, 0, 0},");
  return [
    "// Printed from WebAssembly. Changes belong in the TypeScript sources.",
    "#define WASM_MEMORY_BASE 0",
    '#include "wasm-c.h"',
    `#include "${headerName(options)}"`,
    "",
    ...arrays,
    `const struct wasm_segment ${options.prefix}segments[] = {`,
    ...entries,
    "};",
    `const uint32_t ${options.prefix}segment_count = ${module.wasm.data.length};`,
    "",
  ].join("\n");
}
