// Program: an instrumented module at work: one memory that holds all threads, stepped, undone, captured, restored.
//
// Owner: one search at a time. Invariant: the log's entries since the root, undone, give the root state back exactly.
// Choices are numbers: t steps thread t, 16 + t lets the time-out of thread t's wait expire.
// Pairs with: instrument.ts (made the module), engine-layout.ts (the words read here), the searches.

import { I32 } from "../../wasm/opcodes.ts";
import {
  ACCESS,
  BLOCK,
  BLOCK_BYTES,
  CONTROL,
  FAULT,
  LOG_ENTRY_BYTES,
  STATUS,
  TRACE_ENTRY_BYTES,
} from "../instrument/engine-layout.ts";
import type { Layout } from "../instrument/engine-layout.ts";
import { classify, hostFunction } from "./faults.ts";
import type { ProgramOptions } from "./program-options.ts";
import { UnusableModule } from "./unusable-module.ts";
import type { Violation } from "./violation.ts";
import { WordKnowledge } from "./word-knowledge.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

interface EngineExports {
  step(thread: number): void;
  advance(mark: number, thread: number, among: number): number;
  expire(thread: number): void;
  undo(mark: number): void;
  restore(from: number, end: number): void;
  check(entry: number): number;
  prepare(thread: number, entry: number): void;
  finish(): void;
}

const MAIN_STEPS_MAX = 10_000_000;
export class Program {
  readonly threads: number;
  readonly layout: Layout;
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly engine: EngineExports;
  readonly options: ProgramOptions;
  /** Log position of the root state: after init, before any thread has begun. */
  readonly root: number;
  /** Set by applyFrom. */
  commuting = 0;
  /** With stepsMax: the most steps that each thread was seen to take. */
  readonly worstSteps: number[];
  readonly words: WordKnowledge;
  /** The highest values that the cost counters were seen to have. */
  readonly costCounters: Int32Array;

  constructor(options: ProgramOptions) {
    this.options = options;
    const { instrumented, module, threads } = options;
    this.threads = threads;
    this.costCounters = new Int32Array(options.costCounters?.count ?? 0);
    this.worstSteps = Array.from({ length: threads }, () => 0);
    this.layout = instrumented.layout;
    const memory = new WebAssembly.Memory({ initial: this.layout.totalPages, maximum: this.layout.totalPages });
    this.i32 = new Int32Array(memory.buffer);
    this.u8 = new Uint8Array(memory.buffer);
    this.words = new WordKnowledge(memory, options);
    const imports: Record<string, Record<string, WebAssembly.ImportValue>> = { engine: { memory } };
    const { probe } = options;
    for (const { module: from, name } of module.imports)
      (imports[from] ??= {})[name] ??=
        from === "probe" && probe !== undefined ? probe : hostFunction(name, memory, this.layout);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(instrumented.bytes as BufferSource), imports);
    this.engine = instance.exports as unknown as EngineExports;
    this.root = this.layout.log;
    this.setUp();
  }

  private setUp(): void {
    const { i32, options, layout } = this;
    const { module, instrumented } = options;
    i32[CONTROL.logTop >> 2] = layout.log;
    i32[CONTROL.traceTop >> 2] = layout.scratch;
    i32[CONTROL.pages >> 2] = module.memory.initial;
    i32[CONTROL.plainLoopMax >> 2] = options.plainLoopMax;
    this.words.markGhosts(options.ghosts);
    for (const [thread, symmetryClass] of options.classes.entries())
      i32[(CONTROL.classes >> 2) + thread] = symmetryClass;
    const view = new DataView(i32.buffer);
    for (let thread = 0; thread <= this.threads; thread++) {
      const block = this.block(thread);
      for (const [index, { initial, mutable }] of module.globals.entries()) {
        if (!mutable) continue;
        view.setBigUint64(
          block + BLOCK.globals + 8 * index,
          BigInt.asUintN(assertDefined(module.globals[index]).type === I32 ? 32 : 64, initial),
          true,
        );
      }
      const { stackPointer } = instrumented;
      const isOurs = stackPointer !== undefined && assertDefined(module.globals[stackPointer]).imported !== undefined;
      if (stackPointer !== undefined && (isOurs || thread < this.threads))
        i32[(block + BLOCK.globals + 8 * stackPointer) >> 2] = layout.stackTop(thread);
    }
    // As in a host: the main instance starts and initializes; then each thread's own instance starts.
    this.startInstance(this.threads);
    for (const entry of options.constructors) this.runSetUp(this.threads, entry, "a constructor");
    if (options.init !== undefined) this.runSetUp(this.threads, options.init, "init");
    for (let thread = 0; thread < this.threads; thread++) {
      this.startInstance(thread);
      this.engine.prepare(thread, thread);
    }
    this.engine.finish();
    i32[CONTROL.logTop >> 2] = layout.log;
    i32[CONTROL.raceTracking >> 2] = options.races ? 1 : 0;
  }

  /** The start function, then the thread-local variables, unless the start function has placed them itself. */
  private startInstance(thread: number): void {
    const { start, threadLocals, instrumented } = this.options;
    if (start !== undefined) this.runSetUp(thread, start, "the start function");
    if (!threadLocals || this.i32[(this.block(thread) + BLOCK.globals + 8 * threadLocals.base) >> 2] !== 0) return;
    this.runSetUp(thread, instrumented.threadLocalsEntry(thread), "__wasm_init_tls");
  }

  private runSetUp(thread: number, entry: number, what: string): void {
    const full = `${what} writes more than the explorer's undo log holds; ask for a larger one (logBytes)`;
    try {
      this.runToEnd(thread, entry);
    } catch (error) {
      if (this.mark >= this.layout.logEnd) throw new UnusableModule(full);
      if (this.i32[CONTROL.fault >> 2] === FAULT.plainLoop)
        throw new UnusableModule(
          `${what} goes round plain loops for more than ${this.options.plainLoopMax} iterations; raise the bound (--plain-loops)`,
        );
      if (error instanceof UnusableModule) throw new UnusableModule(`${what} ${error.message}`);
      throw new UnusableModule(`${what} trapped: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (this.mark >= this.layout.logEnd) throw new UnusableModule(full);
    this.i32[CONTROL.logTop >> 2] = this.layout.log;
  }

  private runToEnd(thread: number, entry: number): void {
    this.engine.prepare(thread, entry);
    const status = (this.block(thread) + BLOCK.status) >> 2;
    for (let steps = 0; this.i32[status] !== STATUS.finished; steps++) {
      this.engine.step(thread);
      if (assertDefined(this.i32[status]) >= STATUS.waiting)
        throw new UnusableModule("waits, and nobody could wake it");
      if (steps > MAIN_STEPS_MAX) throw new UnusableModule("does not end");
    }
  }

  block(thread: number): number {
    return this.layout.blocks + thread * BLOCK_BYTES;
  }
  get mark(): number {
    return assertDefined(this.i32[CONTROL.logTop >> 2]);
  }
  get enabled(): number {
    return assertDefined(this.i32[CONTROL.choices >> 2]);
  }
  get allFinished(): boolean {
    return this.i32[CONTROL.finished >> 2] === (1 << this.threads) - 1;
  }
  get low(): number {
    return assertDefined(this.i32[CONTROL.fingerprint >> 2]);
  }
  get high(): number {
    return assertDefined(this.i32[(CONTROL.fingerprint >> 2) + 1]);
  }
  /** The sum over user memory alone, as text: what a final state looks like from outside. */
  get memorySum(): string {
    return `${assertDefined(this.i32[(CONTROL.memorySum >> 2) + 1]) >>> 0}:${assertDefined(this.i32[CONTROL.memorySum >> 2]) >>> 0}`;
  }
  get logIsFull(): boolean {
    return this.mark > this.layout.logEnd - 4 * 65536;
  }

  status(thread: number): number {
    return assertDefined(this.i32[(this.block(thread) + BLOCK.status) >> 2]);
  }
  pendingAddress(thread: number): number {
    return assertDefined(this.i32[(this.block(thread) + BLOCK.pendingAddress) >> 2]);
  }
  pendingSite(thread: number): number {
    return assertDefined(this.i32[(this.block(thread) + BLOCK.pendingSite) >> 2]);
  }

  /**
   * May a time-out and another thread's choice be swapped without a difference? A time-out accesses no memory, so what is
   * pending decides.
   */
  independent(a: number, b: number): boolean {
    const left = this.pendingSite(a & 15) & 15;
    const right = this.pendingSite(b & 15) & 15;
    if (left === ACCESS.none || right === ACCESS.none) return true;
    if (left === ACCESS.bulk || right === ACCESS.bulk) return false;
    const apart = this.pendingAddress(a & 15) ^ this.pendingAddress(b & 15);
    if ((this.options.races ? apart : apart & -8) !== 0) return true;
    return left === right && (left === ACCESS.read || left === ACCESS.plainRead);
  }

  /** Applies a choice; the violation that the step itself was, if it was one. The step stays in the log either way. */
  apply(choice: number): Violation | undefined {
    if (choice >= 16) {
      this.engine.expire(choice - 16);
      return undefined;
    }
    try {
      this.engine.step(choice);
    } catch (error) {
      return this.violationOf(error, choice);
    }
    return this.overSteps(choice);
  }

  /** Undoes to a mark and applies a choice; `commuting` then holds those of the choices `among` that commute with it. */
  applyFrom(mark: number, choice: number, among: number): Violation | undefined {
    if (choice >= 16) {
      this.engine.undo(mark);
      this.commuting = 0;
      for (let other = 0; other < this.threads; other++)
        if (this.independent(other, choice)) this.commuting |= 0x10001 << other;
      this.engine.expire(choice - 16);
      return undefined;
    }
    try {
      this.commuting = this.engine.advance(mark, choice, among);
    } catch (error) {
      this.readCostCounters();
      return this.violationOf(error, choice);
    }
    this.readCostCounters();
    return this.options.stepsMax === undefined ? undefined : this.overSteps(choice);
  }

  /** Takes over what others saw of `worstSteps`. */
  raiseWorstSteps(seen: readonly number[]): void {
    for (const [thread, steps] of seen.entries())
      this.worstSteps[thread] = Math.max(assertDefined(this.worstSteps[thread]), steps);
  }

  private readCostCounters(): void {
    const { costCounters } = this.options;
    if (costCounters === undefined) return;
    const from = (this.layout.userBase + costCounters.at) / 4;
    for (let index = 0; index < costCounters.count; index++) {
      const value = assertDefined(this.i32[from + index]);
      if (value > assertDefined(this.costCounters[index])) this.costCounters[index] = value;
    }
  }

  private overSteps(choice: number): Violation | undefined {
    const { stepsMax } = this.options;
    if (stepsMax === undefined) return undefined;
    const steps = assertDefined(this.i32[(this.block(choice) + BLOCK.steps) >> 2]);
    if (steps > assertDefined(this.worstSteps[choice])) this.worstSteps[choice] = steps;
    return steps > stepsMax ? { kind: "steps", thread: choice, stepsMax } : undefined;
  }

  /** Forgets the way here; the words found to be contended meanwhile are race-tracked from now on. */
  restart(): void {
    this.engine.undo(this.root);
    this.engine.finish();
    this.words.restart();
  }

  get isTrackingRaces(): boolean {
    return this.i32[CONTROL.raceTracking >> 2] !== 0;
  }
  /** Turns the tracking of races on or off. */
  trackRaces(on: boolean): void {
    this.i32[CONTROL.raceTracking >> 2] = on ? 1 : 0;
  }

  /** Traced builds: the accesses of threads since the last call, in order. */
  takeTrace(): { readonly site: number; readonly address: number; readonly value: bigint }[] {
    const end = assertDefined(this.i32[CONTROL.traceTop >> 2]);
    const view = new DataView(this.i32.buffer);
    const list = [];
    for (let at = this.layout.scratch; at < end; at += TRACE_ENTRY_BYTES)
      list.push({
        site: assertDefined(this.i32[at >> 2]),
        address: assertDefined(this.i32[(at >> 2) + 1]) >>> 0,
        value: view.getBigUint64(at + 8, true),
      });
    this.i32[CONTROL.traceTop >> 2] = this.layout.scratch;
    return list;
  }

  private violationOf(error: unknown, thread: number): Violation {
    return classify(error, thread, this.i32, this.words, this.options);
  }

  /** May the invariant say something else than before the last step: did it change a word that a check has read? */
  get touched(): boolean {
    return !this.options.incrementalInvariant || this.i32[CONTROL.touched >> 2] !== 0;
  }

  /** Judges the state that was reached; leaves it as it was. `sameInvariant`: the invariant is known to hold. */
  judge(sameInvariant = false): Violation | undefined {
    const { i32, options } = this;
    const ended = i32[CONTROL.choices >> 2] === 0;
    if (ended && !this.allFinished && !options.allowBlockedEnd) {
      const finished = assertDefined(i32[CONTROL.finished >> 2]);
      return {
        kind: "deadlock",
        waiting: Array.from({ length: this.threads }, (_, t) => t).filter((t) => !(finished & (1 << t))),
      };
    }
    if (options.invariant !== undefined && !sameInvariant) {
      const result = this.ask(options.invariant);
      if (result !== 0) return typeof result === "number" ? { kind: "invariant", result } : result;
    }
    if (ended && options.final !== undefined) {
      const result = this.ask(options.final);
      if (result !== 0) return typeof result === "number" ? { kind: "final", result } : result;
    }
    return undefined;
  }

  /** Runs a check on the main thread's block and undoes it: its result, or how it broke. */
  private ask(entry: number): number | Violation {
    const { mark } = this;
    try {
      if (this.options.instrumented.inOne.has(entry)) return this.engine.check(entry);
      this.runToEnd(this.threads, entry);
      return assertDefined(this.i32[CONTROL.results >> 2]);
    } catch (error) {
      if (error instanceof UnusableModule) throw error;
      return this.violationOf(error, this.threads);
    } finally {
      this.engine.undo(mark);
    }
  }

  undo(mark: number): void {
    this.engine.undo(mark);
  }

  /** Words that may differ from the root state, as (address, low, high) triples. */
  capture(): Int32Array {
    const { i32 } = this;
    const seen = new Set<number>();
    const out: number[] = [];
    for (let entry = this.root; entry < this.mark; entry += LOG_ENTRY_BYTES) {
      const address = assertDefined(i32[entry >> 2]) >>> 0;
      if (seen.has(address)) continue;
      seen.add(address);
      out.push(address, assertDefined(i32[address / 4]), assertDefined(i32[address / 4 + 1]));
    }
    return Int32Array.from(out);
  }

  /** Goes from any state to a captured one. */
  restore(snapshot: Int32Array): void {
    this.engine.undo(this.root);
    const { i32 } = this;
    let at = this.layout.scratch;
    for (let i = 0; i < snapshot.length; i += 3) {
      if (at + LOG_ENTRY_BYTES > this.layout.scratchEnd) {
        this.engine.restore(this.layout.scratch, at);
        at = this.layout.scratch;
      }
      i32[at >> 2] = assertDefined(snapshot[i]);
      i32[(at >> 2) + 2] = assertDefined(snapshot[i + 1]);
      i32[(at >> 2) + 3] = assertDefined(snapshot[i + 2]);
      at += LOG_ENTRY_BYTES;
    }
    this.engine.restore(this.layout.scratch, at);
    this.engine.finish();
  }
}
