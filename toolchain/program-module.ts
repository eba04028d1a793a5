// Program module: a user's module in the form that both machines take, or the reason why it is refused.
//
// What is normalised: the memory becomes the import env.memory of exactly USER_MEMORY_BYTES; a table that no instruction
// uses is left out, and so is every export but the entries, and what is there for debuggers.
// Invariant: what is accepted here can be printed as C and made pausable; a refusal is one line that names the place.
// Pairs with: program-source.ts (where modules come from), program-image.ts (what becomes of them).

import { USER_MEMORY_BYTES } from "../abi/layout.ts";
import { MalformedModule } from "../wasm/bytes.ts";
import { decodeModule } from "../wasm/decode.ts";
import { encodeModule } from "../wasm/encode.ts";
import { type Instruction, UnsupportedModule, type WasmModule } from "../wasm/module.ts";
import { NAMES } from "../wasm/names.ts";
import { nameOf, Op } from "../wasm/opcodes.ts";
import { EXTERNAL, named, SECTION, u32, vector } from "../wasm/sections.ts";
import { type ArtifactModule, type DefinedFunction, type FunctionType, readArtifactModule } from "./artifact-module.ts";
import { isNarrowUpdate } from "./c-access.ts";
import { MUTABLE_GLOBALS_MAX, printC, USER_PRINT } from "./c-printer.ts";
import { PrintRefusal } from "./c-signature.ts";
import { formatType } from "./import-list.ts";

export interface ProgramModule {
  /** Normalised. */
  readonly wasm: Uint8Array;
  /** run: one program, whose result is its exit code. start: several, by number. */
  readonly entry: "run" | "start";
  /** How many programs it has. */
  readonly count: number;
  /** Its tasks share one memory. */
  readonly shared: boolean;
}

export type ModuleCheck =
  { readonly kind: "accepted"; readonly module: ProgramModule } | { readonly kind: "refused"; readonly reason: string };

/** Thrown inside this file alone. */
class Refusal extends Error {}

const NAME_LENGTH_MAX = 200;

const PAGES = USER_MEMORY_BYTES / 65536;
/** As many as the kernel's system call takes numbers for. */
const PROGRAMS_MAX = 1000;

const SYSTEM_CALL: FunctionType = { params: ["i32", "i64", "i64", "i64"], results: ["i64"] };
const ENTRIES: ReadonlyMap<string, FunctionType> = new Map([
  ["run", { params: ["i64"], results: ["i32"] }],
  ["start", { params: ["i32", "i64"], results: [] }],
  ["programCount", { params: [], results: ["i32"] }],
]);

/** A constant global that a module exports under this name, and that is not 0, makes its memory shared. */
const SHARED_MARK = "sharedMemory";

/** Checks and normalises a module. reason: one line, without the file's name. */
export function checkProgram(bytes: Uint8Array): ModuleCheck {
  try {
    return { kind: "accepted", module: normalised(bytes) };
  } catch (error) {
    const isRefusal =
      error instanceof Refusal ||
      error instanceof MalformedModule ||
      error instanceof UnsupportedModule ||
      error instanceof PrintRefusal;
    if (!isRefusal) throw error;
    return { kind: "refused", reason: error.message };
  }
}

function normalised(bytes: Uint8Array): ProgramModule {
  // In this order: the library's reasons are clearer than an engine's, and only what an engine has found valid is read on.
  decodeModule(bytes);
  requireValid(bytes);
  const module = readArtifactModule(bytes);
  checkImports(module);
  checkInstructions(module);
  const { wasm } = module;
  const mutable = wasm.globals.filter((one) => one.mutable).length;
  if (mutable > MUTABLE_GLOBALS_MAX)
    throw new Refusal(
      `it has ${mutable} global variables, and at most ${MUTABLE_GLOBALS_MAX} can be; lay them over memory`,
    );
  const { entry, count } = entryOf(module);
  const started = withStartCalled(wasm, entry);
  const shared = wasm.memory?.shared === true || isMarkedShared(wasm);
  if (shared && hasStack(module))
    throw new Refusal("it has a shared memory and a C stack in it, which all of its tasks would use at once");
  if (shared && wasm.start !== undefined)
    throw new Refusal("it has a shared memory and a start function: only constants may be computed outside of run");
  const result = encodeModule({
    ...started,
    ...memoryOf(wasm, shared),
    ...{ table: undefined, elements: [] },
    exports: new Map(
      [...started.exports].filter(([name]) => name === entry || (entry === "start" && name === "programCount")),
    ),
    customSections: [{ name: "name", bytes: plainNames(module), after: SECTION.data }],
  });
  // The printer refuses what is left: the same modules run on both machines.
  printC(result, USER_PRINT);
  return { wasm: result, entry, count, shared };
}

/** A start function runs when a task begins, before its entry, instead of when an instance is made. */
function withStartCalled(wasm: WasmModule, entry: "run" | "start"): WasmModule {
  const { start, functions, imports, exports } = wasm;
  const target = exports.get(entry);
  const called = functions.find(({ index }) => index === target?.index);
  if (start === undefined || target === undefined || called === undefined) return wasm;
  const parameters = called.type.params.map((_, index) => instruction(Op["local.get"], index));
  const body = [instruction(Op.call, start), ...parameters, instruction(Op.call, target.index), instruction(Op.end, 0)];
  const index = imports.length + functions.length;
  return {
    ...wasm,
    start: undefined,
    functions: [...functions, { ...called, index, locals: [], body }],
    exports: new Map([...exports, [entry, { ...target, index }]]),
  };
}

function instruction(op: number, a: number): Instruction {
  const none = { b: 0, type: undefined, targets: undefined, value: undefined };
  return { op, a, ...none, start: 0, end: 0, match: -1, elseAt: -1 };
}

function requireValid(bytes: Uint8Array): void {
  try {
    const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
    if (WebAssembly.Module.exports(module).length === 0) throw new Refusal(missingRun());
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
    throw new Refusal(`it is not valid WebAssembly: ${error.message.replace("WebAssembly.Module(): ", "")}`);
  }
}

function checkImports({ wasm, functions }: ArtifactModule): void {
  for (const fn of functions) {
    if (fn.kind === "defined") continue;
    const name = `${fn.module}.${fn.base}`;
    if (name !== "os.call") throw new Refusal(`it imports ${name}; a program may import os.call and env.memory only`);
    if (formatType(fn.type) !== formatType(SYSTEM_CALL))
      throw new Refusal(`it imports os.call as ${formatType(fn.type)}; that is ${formatType(SYSTEM_CALL)}`);
  }
  for (const { imported } of [...wasm.globals, ...(wasm.table === undefined ? [] : [wasm.table])])
    if (imported !== undefined)
      throw new Refusal(
        `it imports ${imported.module}.${imported.name}; a program may import os.call and env.memory only`,
      );
}

function checkInstructions({ functions, wasm }: ArtifactModule): void {
  for (const fn of functions) {
    if (fn.kind === "imported") continue;
    for (const one of fn.body) {
      const reason = refusalOf(one, wasm);
      if (reason !== null) throw new Refusal(`${fn.name}: ${nameOf(one.op)}: ${reason}`);
    }
    if ([...fn.type.params, ...fn.type.results, ...fn.locals].some((type) => /^f(32|64)$/.test(type)))
      throw new Refusal(`${fn.name}: ${FLOATS}`);
  }
}

const FLOATS = "the machine has no floats (rv64imac)";

/** What an instruction is refused for, or null. */
function refusalOf({ op }: Instruction, wasm: WasmModule): string | null {
  const name = nameOf(op);
  if (/^f(32|64)\.|_f(32|64)/.test(name)) return FLOATS;
  if (op === Op["memory.grow"])
    return "a program's memory does not grow: what allocates (objects, arrays, joined strings) needs memory of its own, such as memory.data";
  if (op === Op.call_indirect) return "calls must name their function";
  if (name.startsWith("table.") || name.startsWith("ref.") || name.startsWith("elem.")) return "there are no tables";
  if (op === Op["memory.init"] || op === Op["data.drop"]) return "data must be in place before the program starts";
  if (name.startsWith("memory.atomic.")) return "a task waits by its system calls: sleepUntil and wake";
  if (isNarrowUpdate(name)) return "the machine has no atomic updates of less than a word";
  return wasm.memory === undefined && /\.(load|store)|^memory\./.test(name) ? "there is no memory" : null;
}

function entryOf(module: ArtifactModule): { entry: "run" | "start"; count: number } {
  const found = new Map([...ENTRIES.keys()].map((name) => [name, entryFunction(module, name)]));
  const [run, start, counting] = [found.get("run"), found.get("start"), found.get("programCount")];
  if (start !== undefined && counting !== undefined) return { entry: "start", count: constantOf(counting) };
  if (run === undefined) throw new Refusal(missingRun());
  return { entry: "run", count: 1 };
}

function missingRun(): string {
  return "it exports no run(argument: i64): i32, and neither programCount(): i32 with start(program: i32, argument: i64)";
}

/** Undefined where the module exports nothing of that name. */
function entryFunction({ functions, exports }: ArtifactModule, name: string): DefinedFunction | undefined {
  const found = exports.find((one) => one.name === name);
  if (found === undefined) return undefined;
  const wanted = ENTRIES.get(name) ?? SYSTEM_CALL;
  const fn = found.kind === EXTERNAL.function ? functions[found.index] : undefined;
  if (fn === undefined) throw new Refusal(`its export ${name} is no function; ${name} is ${formatType(wanted)}`);
  if (fn.kind === "imported") throw new Refusal(`its export ${name} is an import`);
  if (formatType(fn.type) !== formatType(wanted))
    throw new Refusal(`its ${name} is ${formatType(fn.type)}; it must be ${formatType(wanted)}`);
  return fn;
}

/** The number of programs, which the machines must know before anything runs. */
function constantOf({ body }: DefinedFunction): number {
  const [first, last] = body;
  const count = body.length === 2 && first?.op === Op["i32.const"] && last?.op === Op.end ? Number(first.value) : null;
  if (count === null) throw new Refusal("its programCount is no constant");
  if (count < 1 || count > PROGRAMS_MAX) throw new Refusal(`its programCount is ${count}; 1 to ${PROGRAMS_MAX} can be`);
  return count;
}

function isMarkedShared({ exports, globals }: WasmModule): boolean {
  const mark = exports.get(SHARED_MARK);
  if (mark === undefined || mark.kind !== EXTERNAL.global) return false;
  const global = globals[mark.index];
  return global !== undefined && !global.mutable && global.initial !== 0n;
}

/** The names of functions, for messages and comments, in a section that every reader can read. */
function plainNames({ functions }: ArtifactModule): Uint8Array {
  const entries = functions.map(({ name }, index) => [
    ...u32(index),
    ...named(name.slice(0, NAME_LENGTH_MAX).replaceAll(/[^\w $#%&()*+,./:;<=>?@[\]^{|}~-]/g, "_")),
  ]);
  const part = vector(entries);
  return Uint8Array.from([NAMES.functions, ...u32(part.length), ...part]);
}

/** By the name that clang's linker gives it. */
function hasStack({ wasm }: ArtifactModule): boolean {
  const names = new TextDecoder("latin1").decode(wasm.custom.get("name") ?? new Uint8Array());
  return names.includes("__stack_pointer");
}

function memoryOf(wasm: WasmModule, shared: boolean): Pick<WasmModule, "memory" | "importOrder"> {
  const { memory, importOrder, data } = wasm;
  const own = { module: "env", name: "memory" };
  if (memory?.imported !== undefined && `${memory.imported.module}.${memory.imported.name}` !== "env.memory")
    throw new Refusal(`it imports its memory as ${memory.imported.module}.${memory.imported.name}; that is env.memory`);
  if ((memory?.initial ?? 0) > PAGES)
    throw new Refusal(
      `its memory has ${(memory?.initial ?? 0) * 65536} bytes; a program has ${USER_MEMORY_BYTES} (stack and data together)`,
    );
  for (const { offset, bytes } of data)
    if (offset + bytes.length > USER_MEMORY_BYTES)
      throw new Refusal(`its data at ${offset} does not fit the ${USER_MEMORY_BYTES} bytes of its memory`);
  return {
    memory: { imported: own, initial: PAGES, maximum: PAGES, shared },
    importOrder: memory?.imported === undefined ? [...importOrder, EXTERNAL.memory] : importOrder,
  };
}
