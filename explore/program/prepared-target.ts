// Prepared target: a target checked, decoded and instrumented, ready to make programs that can be stepped.
//
// Owner: session.ts, replay.ts and each worker prepare their own from the same target.
// Pairs with: module-checks.ts and entry-list.ts (what is refused, what is entered), instrument.ts, program.ts.

import type { WasmModule } from "../../wasm/module.ts";
import { findGlobal } from "../../wasm/names.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";
import type { ExplorableModule } from "../instrument/explorable.ts";
import { instrument } from "../instrument/instrument.ts";
import type { Entry, Instrumented } from "../instrument/instrument-options.ts";
import { PAGES_MAX, THREADS_MAX } from "../instrument/engine-layout.ts";
import { findThreadLocals, type ThreadLocals } from "../instrument/start-up.ts";
import { type EntryList, listEntries } from "./entry-list.ts";
import { readsGlobal } from "./thread-identity.ts";
import { checkMemory, decodeValid, exportedFunctions } from "./module-checks.ts";
import { Program } from "./program.ts";
import { ALL_REDUCTIONS, type Reductions } from "./reductions.ts";
import { PLAIN_LOOP_MAX, type Target, type ThreadSpec } from "./target.ts";
import { UnusableModule } from "./unusable-module.ts";

export interface Prepared {
  readonly module: ExplorableModule;
  readonly instrumented: Instrumented;
  readonly entries: readonly Entry[];
  readonly reductions: Reductions;
  readonly threadNames: readonly string[];
  readonly newProgram: () => Program;
}

/** Decodes and instruments. Throws MalformedModule, UnsupportedModule or UnusableModule, each with one line. */
export function prepare(target: Target, traced = false): Prepared {
  const module = decodeValid(target.wasm);
  checkThreads(module, target);
  checkMemory(module);
  const list = listEntries(module, target);
  checkGhosts(target);
  const reductions = { ...ALL_REDUCTIONS, ...target.reductions };
  const threadLocals = findThreadLocals(module);
  const races = (target.races ?? true) && reductions.plainInStep;
  const classes = symmetryClasses(module, target, list.entries, reductions.symmetry && !threadLocals);
  const threads = target.threads.length;
  const areDistinct = new Set(classes).size === threads;
  const coalesceInvisible = reductions.coalesceInvisible && races && threads < THREADS_MAX && areDistinct;
  const shared = { races, coalesceInvisible, threadLocals };
  const instrumented = instrumentFor(module, target, list, { ...shared, traced, reductions });
  const { invariant } = list;
  return {
    module,
    instrumented,
    entries: list.entries,
    reductions,
    threadNames: target.threads.map(nameOfThread),
    newProgram: () =>
      new Program({
        module,
        instrumented,
        ...list,
        ...shared,
        threads,
        classes,
        plainLoopMax: target.plainLoopMax ?? PLAIN_LOOP_MAX,
        stepsMax: target.stepsMax,
        incrementalInvariant:
          reductions.incrementalInvariant && invariant !== undefined && instrumented.inOne.has(invariant),
        allowBlockedEnd: target.allowBlockedEnd ?? false,
        ghosts: target.ghosts ?? [],
        costCounters: target.costCounters,
        probe: target.probe,
      }),
  };
}

function checkThreads(module: ExplorableModule, { threads: { length } }: Target): void {
  if (length === 0)
    throw new UnusableModule(
      `no thread is given; name functions to run as threads: the module exports ${exportedFunctions(module)}`,
    );
  if (length > THREADS_MAX)
    throw new UnusableModule(`${length} threads are given; the explorer takes up to ${THREADS_MAX}`);
}

function checkGhosts({ ghosts, threads }: Target): void {
  if (ghosts?.some((range) => range.some((at) => at % 8 !== 0)))
    throw new UnusableModule("a ghost range does not begin and end at multiples of 8");
  if (ghosts !== undefined && threads.length === THREADS_MAX)
    throw new UnusableModule(`with ghost ranges the explorer takes up to ${THREADS_MAX - 1} threads`);
}

/**
 * The class of each thread: the first thread that is interchangeable with it, which has the same function and arguments
 * and reads no global of its own. isOn: else each is in a class of its own.
 */
function symmetryClasses(module: ExplorableModule, { threads }: Target, entries: readonly Entry[], isOn: boolean) {
  const keys = threads.map((thread) => `${thread.function}(${(thread.args ?? []).join()})`);
  const stackPointer = findGlobal(module, "__stack_pointer");
  return keys.map((key, thread) => {
    const isAlike = isOn && !readsGlobal(module, assertDefined(entries[thread]).functionIndex, stackPointer);
    return isAlike ? keys.indexOf(key) : thread;
  });
}

interface InstrumentChoices {
  readonly races: boolean;
  readonly coalesceInvisible: boolean;
  readonly threadLocals: ThreadLocals | undefined;
  readonly traced: boolean;
  readonly reductions: Reductions;
}

function instrumentFor(module: ExplorableModule, target: Target, list: EntryList, choices: InstrumentChoices) {
  const { reductions, ...same } = choices;
  const instrumented = instrument(module, {
    ...same,
    entries: list.entries,
    invariant: list.invariant,
    final: list.final,
    threads: target.threads.length,
    zeroDead: reductions.zeroDead,
    plainInStep: reductions.plainInStep,
    ghosts: (target.ghosts ?? []).length > 0,
    countSteps: target.stepsMax !== undefined,
    stackBytes: target.stackBytes ?? 16384,
    logBytes: target.logBytes ?? Math.max(16 * 1024 * 1024, LOG_BYTES_A_BYTE * dataBytes(module)),
    growPages: target.growPages ?? 16,
    hostImports: new Set(target.probe === undefined ? ["env.abort"] : ["env.abort", "probe.at"]),
  });
  if (instrumented.layout.totalPages > PAGES_MAX)
    throw new UnusableModule(
      "the module's memory, its stacks and the undo log are too large together; take a smaller memory, stack or log",
    );
  return instrumented;
}

function nameOfThread(thread: ThreadSpec, index: number): string {
  return `${thread.function}${thread.args?.length ? `(${thread.args.join(", ")})` : ""} #${index}`;
}

/** A start function that copies the data writes an entry of the log for each word. */
const LOG_BYTES_A_BYTE = 3;

function dataBytes({ data }: WasmModule): number {
  return data.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
