// Artifact gate: refuses an artifact that reaches outside the machine's list or is not bounded by construction.
//
// Each refusal is one line: the place in the sources where the map has it, the function, what is there, why not.
// Owner: none, pure functions over the binary. What each rule cannot see stands beside it.
// Clauses: Q1 (no growth, no allocator), T4's premises (no recursion, no indirect calls), the security floor's atomics.
// Pairs with: build.ts, which lets nothing past a refusal; import-list.ts, atomic-widths.ts, call-graph.ts.
import type { MemoryLimits } from "./asc.ts";
import { findAtomicMistakes } from "./atomic-widths.ts";
import { callCycles, callGraph } from "./call-graph.ts";
import { type ImportList, formatType } from "./import-list.ts";
import { placeNear, type SourceMap, formatPlace } from "../wasm/source-map.ts";
import type { Instruction } from "../wasm/module.ts";
import { isAtomicAccess, nameOf, Op, type OpName } from "../wasm/opcodes.ts";
import { type ArtifactModule, type DefinedFunction, readArtifactModule } from "./artifact-module.ts";

export interface GateRules {
  imports: ImportList;
  memory: MemoryLimits;
  /** Source file, without extension, in which every atomic access must be written; null: no such rule. */
  atomicsInterface: string | null;
}

interface Gate extends GateRules {
  module: ArtifactModule;
  map: SourceMap;
}

/** One line a refusal; empty when the artifact may pass. Throws MalformedModule or UnsupportedModule at what is no module, or one that the library cannot read. */
export function checkArtifact(wasm: Uint8Array, map: SourceMap, rules: GateRules): string[] {
  const gate: Gate = { ...rules, module: readArtifactModule(wasm), map };
  return [
    ...checkImports(gate),
    ...checkMemory(gate),
    ...checkGlobals(gate),
    ...checkInstructions(gate),
    ...checkRecursion(gate),
    ...checkAllocator(gate),
    ...checkAtomics(gate),
  ];
}

function line(gate: Gate, at: number, name: string, message: string): string {
  const around = gate.module.functions.find((fn) => fn.kind === "defined" && fn.body.some((one) => one.start === at));
  const offsets = around?.kind === "defined" ? around.body.map((one) => one.start) : [];
  return `${formatPlace(placeNear(gate.map, offsets, at), `byte ${at}`)}: ${name}: ${message}`;
}

function definedFunctions(module: ArtifactModule): DefinedFunction[] {
  return module.functions.filter((fn) => fn.kind === "defined");
}

/** Where a function begins, for what concerns it as a whole. */
function placeOfFunction(fn: DefinedFunction): number {
  return fn.body.find((one) => one.op !== Op.block && one.op !== Op.loop)?.start ?? 0;
}

function checkImports({ module, imports }: Gate): string[] {
  const lines: string[] = [];
  for (const fn of module.functions) {
    if (fn.kind === "defined") continue;
    const allowed = imports.get(`${fn.module}.${fn.base}`);
    if (allowed === undefined) lines.push(`the import ${fn.module}.${fn.base} is not on the machine's list`);
    else if (formatType(allowed) !== formatType(fn.type))
      lines.push(
        `the import ${fn.module}.${fn.base} is ${formatType(fn.type)}; the machine's is ${formatType(allowed)}`,
      );
  }
  for (const { imported } of module.wasm.globals)
    if (imported !== undefined)
      lines.push(
        `the import ${imported.module}.${imported.name} is a global; only functions and the memory may be imported`,
      );
  return lines;
}

function checkMemory({ module, memory }: Gate): string[] {
  const found = module.wasm.memory;
  if (found === undefined) return ["the artifact must have exactly one memory"];
  const lines: string[] = [];
  if (found.imported?.module !== "env" || found.imported.name !== "memory")
    lines.push("the memory must be the import env.memory");
  if (found.maximum !== found.initial)
    lines.push(`the memory is not frozen: ${found.initial} pages at first, ${found.maximum ?? "any number"} at most`);
  if (found.initial !== memory.pages) lines.push(`the memory has ${found.initial} pages, not ${memory.pages}`);
  if (found.shared !== memory.shared) lines.push(`the memory must ${memory.shared ? "" : "not "}be shared`);
  return lines;
}

function checkGlobals({ module: { wasm } }: Gate): string[] {
  const lines: string[] = [];
  const mutable = wasm.globals.filter((one) => one.mutable).length;
  if (mutable > 0)
    lines.push(`${mutable} mutable global(s): state that all harts would share unsynchronised; lay it over memory`);
  if (wasm.table !== undefined) lines.push("a table: calls must name their function");
  if (wasm.start !== undefined)
    lines.push("a start function: top-level code must be constant, nothing runs before boot");
  if (wasm.data.some(({ passive }) => passive)) lines.push("a passive data segment: data must be in place before boot");
  return lines;
}

/** What an instruction is refused for, or null. */
function refusalOf(op: OpName): string | null {
  if (/^f(32|64)\.|_f(32|64)/.test(op)) return `${op}: floats are not saved across traps`;
  if (op === "memory.grow") return "memory.grow: the memory is frozen";
  if (op === "call_indirect") return "call_indirect: calls must name their function";
  if (op === "global.set") return "global.set: state that all harts would share unsynchronised";
  if (op.startsWith("memory.atomic.")) return `${op}: the kernel waits by its machine only`;
  if (op === "memory.init" || op === "data.drop") return `${op}: data must be in place before boot`;
  if (/\.rmw(8|16|32)\./.test(op)) return `${op}: RISC-V has no such instruction`;
  return null;
}

function checkInstructions(gate: Gate): string[] {
  const lines: string[] = [];
  for (const fn of definedFunctions(gate.module)) {
    const types = [...fn.type.params, ...fn.type.results, ...fn.locals];
    if (types.some((type) => type.startsWith("f")))
      lines.push(line(gate, placeOfFunction(fn), fn.name, "float values are not saved across traps"));
    for (const one of fn.body) {
      const message = refusalOf(nameOf(one.op));
      if (message !== null) lines.push(line(gate, one.start, fn.name, message));
    }
  }
  return lines;
}

function checkRecursion(gate: Gate): string[] {
  return callCycles(callGraph(gate.module)).map((cycle) => {
    const names = cycle.map((index) => gate.module.functions[index]?.name ?? "?");
    const first = gate.module.functions[cycle[0] ?? -1];
    const next = cycle[1] ?? cycle[0];
    const call = first?.kind === "defined" ? first.body.find((one) => one.op === Op.call && one.a === next) : undefined;
    const message = `recursion: ${[...names, names[0]].join(" calls ")}; its stack has no bound`;
    return line(gate, call?.start ?? 0, names[0] ?? "?", message);
  });
}

/** By the names of AssemblyScript's runtime. An allocator written by hand is not seen; it needs growth or a global, or is a bounded pool. */
function checkAllocator(gate: Gate): string[] {
  return definedFunctions(gate.module)
    .filter((fn) => /^~lib\/rt\/|\/__(alloc|new|renew|realloc|free|pin|collect)$|^~lib\/memory\/heap/.test(fn.name))
    .map((fn) => line(gate, placeOfFunction(fn), fn.name, "an allocator: nothing allocates after boot"));
}

function checkAtomics(gate: Gate): string[] {
  const { conflicts, unaligned } = findAtomicMistakes(gate.module);
  const lines = unaligned.map(({ functionName, instruction, bytes }) =>
    line(gate, instruction.start, functionName, `${nameOf(instruction.op)}: not at a multiple of its ${bytes} bytes`),
  );
  for (const { first, second } of conflicts) {
    const other = formatPlace(gate.map.placeOf(first.instruction.start), `byte ${first.instruction.start}`);
    const message = `${nameOf(second.instruction.op)}: mixed widths, ${nameOf(first.instruction.op)} at ${other} touches the same bytes`;
    lines.push(line(gate, second.instruction.start, second.functionName, message));
  }
  if (gate.atomicsInterface === null) return lines;
  const atomicsFile = `${gate.atomicsInterface}.ts`;
  for (const fn of definedFunctions(gate.module))
    for (const one of fn.body)
      if (isShared(one) && !(gate.map.placeOf(one.start)?.file ?? atomicsFile).startsWith(atomicsFile))
        lines.push(line(gate, one.start, fn.name, `${nameOf(one.op)}: atomics are written in ${atomicsFile} only`));
  return lines;
}

function isShared(one: Instruction): boolean {
  return isAtomicAccess(one.op) || one.op === Op["atomic.fence"];
}
