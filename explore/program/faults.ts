// Faults: what went wrong in a step, from the error that ended it: the engine's own faults, the module's traps, aborts.
//
// Owner: none. Pairs with: program.ts (catches the errors), engine-layout.ts (FAULT), violation.ts.

import { readNames } from "../../wasm/names.ts";
import { CONTROL, FAULT } from "../instrument/engine-layout.ts";
import type { Layout } from "../instrument/engine-layout.ts";
import type { ProgramOptions } from "./program-options.ts";
import type { Violation } from "./violation.ts";
import type { WordKnowledge } from "./word-knowledge.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

class HostAbort extends Error {}

/** Functions that are named where a thread traps. */
const TRAP_FRAMES_MAX = 6;

/** The violation that an error of a step is; what is none is thrown again. */
export function classify(
  error: unknown,
  thread: number,
  i32: Int32Array,
  words: WordKnowledge,
  options: ProgramOptions,
): Violation {
  const fault = assertDefined(i32[CONTROL.fault >> 2]);
  const address = assertDefined(i32[CONTROL.faultAddress >> 2]);
  i32[CONTROL.fault >> 2] = FAULT.none;
  switch (fault) {
    case FAULT.race:
      return { kind: "race", thread, other: assertDefined(i32[CONTROL.faultOther >> 2]), address };
    case FAULT.mixedWidth:
      return { kind: "mixed-width", thread, address, widths: words.widthsOf(address) };
    case FAULT.plainLoop:
      return { kind: "plain-loop", thread };
    case FAULT.stackDepth:
      return { kind: "stack-depth", thread };
    case FAULT.unaligned:
      return { kind: "unaligned", thread, address };
  }
  if (error instanceof HostAbort) return { kind: "assertion", thread, message: error.message };
  if (error instanceof WebAssembly.RuntimeError) {
    const { message } = error;
    return { kind: "trap", thread, message: `${message}${whereabouts(error, options)}` };
  }
  if (error instanceof RangeError) return { kind: "trap", thread, message: "the call stack is exhausted" };
  throw error;
}

/** In which functions it happened, innermost first, as far as the engine reports: " in f, called by g". */
function whereabouts({ stack }: Error, { module, instrumented }: ProgramOptions): string {
  const names = readNames(module);
  const origins = [...(stack ?? "").matchAll(/wasm-function\[(\d+)\]/g)].map(([, index]) =>
    instrumented.originOf(Number(index)),
  );
  const functions = origins.filter((index, i) => index !== undefined && index !== origins[i - 1]);
  const [innermost, ...callers] = functions
    .slice(0, TRAP_FRAMES_MAX)
    .map((index) => names.functionName(assertDefined(index)));
  if (innermost === undefined) return "";
  return [` in ${innermost}`, ...callers.map((name) => `called by ${name}`)].join(", ");
}

/** What the module imports from its host: ends the step. */
export function hostFunction(name: string, memory: WebAssembly.Memory, layout: Layout): (...args: unknown[]) => never {
  const text = (pointer: number): string => textAt(memory, layout, pointer);
  return (...args) => {
    const [message, file, line, column] = args.map(Number);
    const where = name === "abort" && line !== undefined ? ` (${text(file ?? 0)}:${line}:${column ?? 0})` : "";
    throw new HostAbort(
      name === "abort" && message !== undefined ? `${text(message) || "abort"}${where}` : `${name} was called`,
    );
  };
}

/** An AssemblyScript string (UTF-16, its length in bytes before it). */
function textAt({ buffer }: WebAssembly.Memory, { userBase }: Layout, pointer: number): string {
  if (pointer === 0) return "";
  const at = userBase + pointer;
  const length = new DataView(buffer).getInt32(at - 4, true);
  if (length < 0 || length > 4096) return "";
  return new TextDecoder("utf-16le").decode(new Uint8Array(buffer, at, length));
}
