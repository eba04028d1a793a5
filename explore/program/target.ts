// Target: what to explore (a module, its threads, its checks) and how, turned into a program that can be stepped.
//
// Owner: session.ts, replay.ts and each worker make their own from the same plain description.
// Invariant: the same description gives the same program, so a schedule means the same everywhere.
// Pairs with: instrument.ts, program.ts.

import { Op, isAtomic } from "../../wasm/opcodes.ts";
import { MalformedModule } from "../../wasm/bytes.ts";
import { UnsupportedModule } from "../../wasm/module.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { type ExplorableModule, decodeExplorable } from "../instrument/explorable.ts";
import type { Entry, Instrumented } from "../instrument/instrument-options.ts";
import { instrument } from "../instrument/instrument.ts";
import { growsMemory } from "../instrument/pausing.ts";
import { Program } from "./program.ts";
import { UnusableModule } from "./unusable-module.ts";
import { findConstructors, findThreadLocals } from "../instrument/start-up.ts";
import { readsGlobal } from "./identity.ts";
import { findGlobal } from "../../wasm/names.ts";
import { EXTERNAL } from "../../wasm/sections.ts";
import { PAGES_MAX, THREADS_MAX, USER_PAGES_MAX } from "../instrument/layout.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

export interface ThreadSpec {
  readonly function: string;
  /** Integer arguments, as text where they do not fit a number; missing ones are 0. */
  readonly args?: readonly (number | bigint | string)[];
}

/** An argument as JSON can hold it. */
export function savable(argument: number | bigint | string): number | string {
  const number = Number(argument);
  return Number.isSafeInteger(number) ? number : String(argument);
}

/** Each reduction has a switch; all are on by default. */
export interface Reductions {
  readonly mergeStates: boolean;
  readonly plainInStep: boolean;
  /** Needs races; off where two threads are interchangeable, because they would be taken for one. */
  readonly coalesceInvisible: boolean;
  readonly sleepSets: boolean;
  readonly symmetry: boolean;
  readonly zeroDead: boolean;
  /** Off where checks access memory atomically, call indirectly or copy memory. */
  readonly incrementalInvariant: boolean;
}

export const ALL_REDUCTIONS: Reductions = {
  mergeStates: true,
  plainInStep: true,
  coalesceInvisible: true,
  sleepSets: true,
  symmetry: true,
  zeroDead: true,
  incrementalInvariant: true,
};

/** A plain value: it can be saved, and sent to a worker. */
export interface Target {
  readonly wasm: Uint8Array;
  readonly threads: readonly ThreadSpec[];
  readonly init?: string | undefined;
  readonly final?: string | undefined;
  readonly invariant?: string | undefined;
  /** Report data races; needs plainInStep. Default true. */
  readonly races?: boolean | undefined;
  readonly reductions?: Partial<Reductions> | undefined;
  /** Steps that one thread may take in all. */
  readonly stepsMax?: number | undefined;
  /** Iterations of plain loops within one step. Default 100,000. */
  readonly plainLoopMax?: number | undefined;
  /** Shadow stack of each thread, where the module has __stack_pointer. Default 16 KiB. */
  readonly stackBytes?: number | undefined;
  /** Pages that memory.grow may add. Default 16. */
  readonly growPages?: number | undefined;
  /** Threads may wait in the end: such an end is judged by `final` and is no deadlock. Default false. */
  readonly allowBlockedEnd?: boolean | undefined;
  /**
   * Bytes of memory [from, end) that are no part of the state: what nothing but reports reads. Multiples of 8.
   * States that differ there only are one, accesses there are no steps and are not checked for races.
   */
  readonly ghosts?: readonly (readonly [from: number, end: number])[] | undefined;
  /**
   * Words of memory, i32 each, whose highest values over all transitions are reported: what a program measures of
   * itself. Best in a ghost range, so that they make no states. One worker only.
   */
  readonly costCounters?: { readonly at: number; readonly count: number } | undefined;
  /**
   * Called with the module's argument whenever it calls its import `probe.at(i32)`, checks included: which of the code is
   * reached. It must change nothing of the program. One worker only.
   */
  readonly probe?: ((argument: number) => void) | undefined;
  /** Bytes of the undo log. Default 16 MiB, or more where the module has much data to begin with. */
  readonly logBytes?: number | undefined;
}

export const PLAIN_LOOP_MAX = 100_000;

export interface Prepared {
  readonly module: ExplorableModule;
  readonly instrumented: Instrumented;
  readonly entries: readonly Entry[];
  readonly reductions: Reductions;
  readonly threadNames: readonly string[];
  readonly newProgram: () => Program;
}

/** Decodes a module that the engine takes, too: what does not validate is refused by the engine's own words. */
function decodeValid(wasm: Uint8Array): ExplorableModule {
  let module: ExplorableModule | undefined;
  let fault: unknown;
  try {
    module = decodeExplorable(wasm);
  } catch (error) {
    if (error instanceof UnsupportedModule || error instanceof MalformedModule) throw error;
    fault = error;
  }
  if (!WebAssembly.validate(wasm as BufferSource)) {
    const flaw = flawOf(wasm);
    // Sums as constants are newer than some engines; they are computed here.
    if (!module || !flaw.includes("constant expression")) throw new MalformedModule(`the module is not valid: ${flaw}`);
  }
  if (!module) throw fault;
  return module;
}

/** What the engine says of an invalid module, without the name of the function that was asked. */
function flawOf(wasm: Uint8Array): string {
  try {
    void new WebAssembly.Module(wasm as BufferSource);
    return "it does not validate";
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).replace(/^WebAssembly\.Module\(\): /, "");
  }
}

function exportedFunction(module: WasmModule, name: string): number {
  const found = module.exports.get(name);
  if (found?.kind === EXTERNAL.function) return found.index;
  throw new UnusableModule(`the module exports no function "${name}"; it exports ${exportedFunctions(module)}`);
}

/** The first dozen of them, for a message. */
function exportedFunctions(module: WasmModule): string {
  const functions = [...module.exports].filter(([, { kind }]) => kind === 0).map(([name]) => name);
  const list = functions.length > 12 ? `${functions.slice(0, 12).join(", ")}, ...` : functions.join(", ");
  return list || "none";
}

/** Decodes and instruments. Throws MalformedModule, UnsupportedModule or UnusableModule, each with one line. */
export function prepare(target: Target, traced = false): Prepared {
  const module = decodeValid(target.wasm);
  const reductions = { ...ALL_REDUCTIONS, ...target.reductions };
  const count = target.threads.length;
  if (count === 0)
    throw new UnusableModule(
      `no thread is given; name functions to run as threads: the module exports ${exportedFunctions(module)}`,
    );
  if (count > THREADS_MAX)
    throw new UnusableModule(`${count} threads are given; the explorer takes up to ${THREADS_MAX}`);
  if (!usesAtomics(module) && !growsMemory(module))
    throw new UnusableModule(
      "the module has no atomic access; build it with the threads feature (for clang: -matomics -mbulk-memory)",
    );
  if (!module.memory.shared)
    throw new UnusableModule(
      "the module's memory is not shared, so each thread would have one of its own; build it with a shared memory (clang's linker: --shared-memory, asc: --sharedMemory)",
    );
  const { initial } = module.memory;
  if (initial > USER_PAGES_MAX)
    throw new UnusableModule(
      `the module's memory of ${initial.toLocaleString("en-US")} pages is too large: the explorer takes at most ${USER_PAGES_MAX.toLocaleString("en-US")} (1.2 GiB); build it with a smaller initial memory`,
    );
  const entries: Entry[] = [];
  const enter = (index: number, args: readonly (number | bigint | string)[]): number =>
    entries.push({ functionIndex: index, args: args.map(BigInt) }) - 1;
  const type = (index: number) => module.functions[index - module.imports.length]?.type;
  for (const thread of target.threads) {
    const index = exportedFunction(module, thread.function);
    const args = thread.args ?? [];
    const takes = type(index)?.params.length ?? 0;
    if (args.length > takes)
      throw new UnusableModule(`${thread.function} takes ${takes} arguments, ${args.length} are given`);
    enter(index, args);
  }
  const optional = (name: string | undefined): number | undefined =>
    name === undefined ? undefined : enter(exportedFunction(module, name), []);
  const start = module.start === undefined ? undefined : enter(module.start, []);
  const threadLocals = findThreadLocals(module);
  const named = [...target.threads.map((thread) => thread.function), target.init, target.invariant, target.final];
  const constructors = findConstructors(
    module,
    named.flatMap((name) => (name === undefined ? [] : [exportedFunction(module, name)])),
  ).map((index) => enter(index, []));
  const init = optional(target.init);
  const invariant = optional(target.invariant);
  const final = optional(target.final);
  const races = (target.races ?? true) && reductions.plainInStep;
  const keys = target.threads.map((thread) => `${thread.function}(${(thread.args ?? []).join()})`);
  const stackPointer = findGlobal(module, "__stack_pointer");
  const isAlike = (thread: number): boolean =>
    reductions.symmetry &&
    !threadLocals &&
    !readsGlobal(module, assertDefined(entries[thread]).functionIndex, stackPointer);
  const classes = keys.map((key, thread) => (isAlike(thread) ? keys.indexOf(key) : thread));
  const coalesceInvisible =
    reductions.coalesceInvisible && races && count < THREADS_MAX && new Set(classes).size === count;
  if (target.ghosts?.some((range) => range.some((at) => at % 8 !== 0)))
    throw new UnusableModule("a ghost range does not begin and end at multiples of 8");
  if (target.ghosts !== undefined && count === THREADS_MAX)
    throw new UnusableModule(`with ghost ranges the explorer takes up to ${THREADS_MAX - 1} threads`);
  const instrumented = instrument(module, {
    entries,
    invariant,
    final,
    threads: count,
    races,
    traced,
    zeroDead: reductions.zeroDead,
    plainInStep: reductions.plainInStep,
    coalesceInvisible,
    ghosts: (target.ghosts ?? []).length > 0,
    countSteps: target.stepsMax !== undefined,
    stackBytes: target.stackBytes ?? 16384,
    logBytes: target.logBytes ?? Math.max(16 * 1024 * 1024, LOG_BYTES_A_BYTE * dataBytes(module)),
    growPages: target.growPages ?? 16,
    threadLocals,
    hostImports: new Set(target.probe === undefined ? ["env.abort"] : ["env.abort", "probe.at"]),
  });
  if (instrumented.layout.totalPages > PAGES_MAX)
    throw new UnusableModule(
      "the module's memory, its stacks and the undo log are too large together; take a smaller memory, stack or log",
    );
  const threadNames = target.threads.map(
    (thread, i) => `${thread.function}${thread.args?.length ? `(${thread.args.join(", ")})` : ""} #${i}`,
  );
  return {
    module,
    instrumented,
    entries,
    reductions,
    threadNames,
    newProgram: () =>
      new Program({
        module,
        instrumented,
        entries,
        threads: count,
        classes,
        plainLoopMax: target.plainLoopMax ?? PLAIN_LOOP_MAX,
        stepsMax: target.stepsMax,
        races,
        coalesceInvisible,
        incrementalInvariant:
          reductions.incrementalInvariant && invariant !== undefined && instrumented.inOne.has(invariant),
        allowBlockedEnd: target.allowBlockedEnd ?? false,
        ghosts: target.ghosts ?? [],
        costCounters: target.costCounters,
        probe: target.probe,
        start,
        threadLocals,
        constructors,
        init,
        invariant,
        final,
      }),
  };
}

/** A start function that copies the data writes an entry of the log for each word. */
const LOG_BYTES_A_BYTE = 3;

function dataBytes({ data }: WasmModule): number {
  return data.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

function usesAtomics(module: WasmModule): boolean {
  return module.functions.some((func) => func.body.some(({ op }) => isAtomic(op) || op === Op["atomic.fence"]));
}
