// Program: an instrumented module at work: one memory that holds all threads, stepped, undone, captured, restored.
//
// Owner: one search at a time. Invariant: the log's entries since the root, undone, give the root state back exactly.
// Choices are numbers: t steps thread t, 16 + t lets the time-out of thread t's wait expire.
// Pairs with: instrument.ts (made the module), layout.ts (the words read here), the searches.

import type { WasmModule } from "./wasm/module.ts";
import type { Entry, Instrumented } from "./instrument.ts";
import {
  ACCESS,
  BLOCK,
  BLOCK_BYTES,
  CONTENDED,
  CONTROL,
  FAULT,
  GHOST,
  LOG_ENTRY_BYTES,
  SHADOW_BYTES,
  STATUS,
  TRACE_ENTRY_BYTES,
} from "./layout.ts";
import type { Layout } from "./layout.ts";
import type { Violation } from "./violation.ts";
import { certain } from "./certain.ts";

/** Something is wrong with how the module is used; the message is one line. */
export class UnusableModule extends Error {}

class HostAbort extends Error {}

interface EngineExports {
  step(thread: number): void;
  advance(mark: number, thread: number): number;
  expire(thread: number): void;
  undo(mark: number): void;
  restore(from: number, end: number): void;
  prepare(thread: number, entry: number): void;
  finish(): void;
}

export interface ProgramOptions {
  readonly module: WasmModule;
  readonly instrumented: Instrumented;
  readonly entries: readonly Entry[];
  readonly threads: number;
  /** Symmetry class of each thread. */
  readonly classes: readonly number[];
  readonly plainLoopMax: number;
  readonly stepsMax: number | undefined;
  readonly races: boolean;
  /** An end in which threads wait is a rest that `final` judges, not a deadlock. */
  readonly restIsFinal: boolean;
  /** Ranges of the user's bytes that are no state. */
  readonly ghosts: readonly (readonly [number, number])[];
  readonly gauges: { readonly at: number; readonly count: number } | undefined;
  /** Indices into entries. */
  readonly start: number | undefined;
  readonly init: number | undefined;
  readonly invariant: number | undefined;
  readonly final: number | undefined;
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
  /** The highest values that the gauges were seen to have. */
  readonly gauges: Int32Array;

  constructor(options: ProgramOptions) {
    this.options = options;
    const { instrumented, module, threads } = options;
    this.threads = threads;
    this.gauges = new Int32Array(options.gauges?.count ?? 0);
    this.worstSteps = Array.from({ length: threads }, () => 0);
    this.layout = instrumented.layout;
    const memory = new WebAssembly.Memory({ initial: this.layout.totalPages, maximum: this.layout.totalPages });
    this.i32 = new Int32Array(memory.buffer);
    this.u8 = new Uint8Array(memory.buffer);
    const imports: Record<string, Record<string, WebAssembly.ImportValue>> = { engine: { memory } };
    for (const { module: from, name } of module.imports) (imports[from] ??= {})[name] ??= this.hostFunction(name);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(instrumented.bytes as BufferSource), imports);
    this.engine = instance.exports as unknown as EngineExports;
    this.root = this.layout.log;
    this.setUp();
  }

  private hostFunction(name: string): (...args: unknown[]) => never {
    return (...args) => {
      const [message, file, line, column] = args.map(Number);
      const where = name === "abort" && line !== undefined ? ` (${this.text(file ?? 0)}:${line}:${column ?? 0})` : "";
      throw new HostAbort(
        name === "abort" && message !== undefined ? `${this.text(message) || "abort"}${where}` : `${name} was called`,
      );
    };
  }

  /** An AssemblyScript string (UTF-16, its length in bytes before it). */
  private text(pointer: number): string {
    if (pointer === 0) return "";
    const at = this.layout.userBase + pointer;
    const length = this.i32[(at - 4) >> 2] ?? 0;
    if (length < 0 || length > 4096) return "";
    return new TextDecoder("utf-16le").decode(this.u8.slice(at, at + length));
  }

  private setUp(): void {
    const { i32, options, layout } = this;
    const { module, instrumented } = options;
    i32[CONTROL.logTop >> 2] = layout.log;
    i32[CONTROL.traceTop >> 2] = layout.scratch;
    i32[CONTROL.pages >> 2] = module.memory.initial;
    i32[CONTROL.plainLoopMax >> 2] = options.plainLoopMax;
    for (const [from, end] of options.ghosts) this.markWords(from / 8, end / 8, GHOST);
    for (const [thread, symmetryClass] of options.classes.entries())
      i32[(CONTROL.classes >> 2) + thread] = symmetryClass;
    const view = new DataView(i32.buffer);
    for (let thread = 0; thread <= this.threads; thread++) {
      const block = this.block(thread);
      for (const [index, { initial, mutable }] of module.globals.entries()) {
        if (!mutable) continue;
        view.setBigUint64(
          block + BLOCK.globals + 8 * index,
          BigInt.asUintN(certain(module.globals[index]).type === 0x7f ? 32 : 64, initial),
          true,
        );
      }
      if (instrumented.stackPointer !== undefined && thread < this.threads)
        i32[(block + BLOCK.globals + 8 * instrumented.stackPointer) >> 2] = layout.stackTop(thread);
    }
    // As in a host: the main instance starts and initializes; then each thread's own instance starts.
    if (options.start !== undefined) this.runSetUp(this.threads, options.start, "the start function");
    if (options.init !== undefined) this.runSetUp(this.threads, options.init, "init");
    for (let thread = 0; thread < this.threads; thread++) {
      if (options.start !== undefined) this.runSetUp(thread, options.start, "the start function");
      this.engine.prepare(thread, thread);
    }
    this.engine.finish();
    i32[CONTROL.logTop >> 2] = layout.log;
    i32[CONTROL.noting >> 2] = options.races ? 1 : 0;
  }

  private runSetUp(thread: number, entry: number, what: string): void {
    try {
      this.runToEnd(thread, entry);
    } catch (error) {
      if (error instanceof UnusableModule) throw new UnusableModule(`${what} ${error.message}`);
      throw new UnusableModule(`${what} trapped: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.i32[CONTROL.logTop >> 2] = this.layout.log;
  }

  private runToEnd(thread: number, entry: number): void {
    this.engine.prepare(thread, entry);
    const status = (this.block(thread) + BLOCK.status) >> 2;
    for (let steps = 0; this.i32[status] !== STATUS.finished; steps++) {
      this.engine.step(thread);
      if (certain(this.i32[status]) >= STATUS.waiting) throw new UnusableModule("waits, and nobody could wake it");
      if (steps > MAIN_STEPS_MAX) throw new UnusableModule("does not end");
    }
  }

  block(thread: number): number {
    return this.layout.blocks + thread * BLOCK_BYTES;
  }
  get mark(): number {
    return certain(this.i32[CONTROL.logTop >> 2]);
  }
  get enabled(): number {
    return certain(this.i32[CONTROL.enabled >> 2]) | (certain(this.i32[CONTROL.timed >> 2]) << 16);
  }
  get allFinished(): boolean {
    return this.i32[CONTROL.finished >> 2] === (1 << this.threads) - 1;
  }
  get low(): number {
    return certain(this.i32[CONTROL.fingerprint >> 2]);
  }
  get high(): number {
    return certain(this.i32[(CONTROL.fingerprint >> 2) + 1]);
  }
  /** The sum over user memory alone, as text: what a final state looks like from outside. */
  get memorySum(): string {
    return `${certain(this.i32[(CONTROL.memorySum >> 2) + 1]) >>> 0}:${certain(this.i32[CONTROL.memorySum >> 2]) >>> 0}`;
  }
  get logIsFull(): boolean {
    return this.mark > this.layout.logEnd - 4 * 65536;
  }

  status(thread: number): number {
    return certain(this.i32[(this.block(thread) + BLOCK.status) >> 2]);
  }
  pendingAddress(thread: number): number {
    return certain(this.i32[(this.block(thread) + BLOCK.pendingAddress) >> 2]);
  }
  pendingSite(thread: number): number {
    return certain(this.i32[(this.block(thread) + BLOCK.pendingSite) >> 2]);
  }

  /** May two choices of different threads be swapped without a difference? Judged by their pending accesses. */
  independent(a: number, b: number): boolean {
    if (this.pendingAddress(a & 15) !== this.pendingAddress(b & 15)) return true;
    const left = this.pendingSite(a & 15) & 15;
    const right = this.pendingSite(b & 15) & 15;
    if (left === ACCESS.none || right === ACCESS.none) return true;
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
      return this.classify(error, choice);
    }
    return this.overSteps(choice);
  }

  /** Undoes to a mark and applies a choice; `commuting` then holds the threads whose next step commutes with it. */
  applyFrom(mark: number, choice: number): Violation | undefined {
    if (choice >= 16) {
      this.engine.undo(mark);
      this.commuting = 0;
      for (let other = 0; other < this.threads; other++)
        if (this.independent(other, choice)) this.commuting |= 1 << other;
      this.engine.expire(choice - 16);
      return undefined;
    }
    try {
      this.commuting = this.engine.advance(mark, choice);
    } catch (error) {
      this.readGauges();
      return this.classify(error, choice);
    }
    this.readGauges();
    return this.options.stepsMax === undefined ? undefined : this.overSteps(choice);
  }

  private readGauges(): void {
    const { gauges } = this.options;
    if (gauges === undefined) return;
    const from = (this.layout.userBase + gauges.at) >> 2;
    for (let index = 0; index < gauges.count; index++) {
      const value = certain(this.i32[from + index]);
      if (value > certain(this.gauges[index])) this.gauges[index] = value;
    }
  }

  private overSteps(choice: number): Violation | undefined {
    const { stepsMax } = this.options;
    if (stepsMax === undefined) return undefined;
    const steps = certain(this.i32[(this.block(choice) + BLOCK.steps) >> 2]);
    if (steps > certain(this.worstSteps[choice])) this.worstSteps[choice] = steps;
    return steps > stepsMax ? { kind: "steps", thread: choice, stepsMax } : undefined;
  }

  /** Forgets the way here; the words found to be contended meanwhile are watched from now on. */
  restart(): void {
    this.engine.undo(this.root);
    this.engine.finish();
    this.i32[CONTROL.watchedNew >> 2] = 0;
  }

  /** Marks words of the user's memory in their shadow. */
  private markWords(from: number, end: number, flag: bigint): void {
    const view = new DataView(this.i32.buffer);
    for (let index = from; index < end; index++) {
      const at = this.layout.shadow + index * SHADOW_BYTES + 8;
      view.setBigUint64(at, view.getBigUint64(at, true) | flag, true);
    }
  }

  /**
   * What was learnt about words of user memory, by index: those whose accesses are kept in footprints, in the order of
   * their numbers, and then, as -1 - index, those that are contended.
   */
  watchedWords(): number[] {
    const watched = certain(this.i32[CONTROL.watched >> 2]);
    const words = Array.from({ length: watched }, () => 0);
    const count = this.layout.userPages * (65536 / 8);
    // Their numbers are in the order of finding, not of addresses.
    for (let word = 0, found = 0; word < count && found < watched; word++) {
      const number = certain(this.i32[(this.layout.shadow + word * SHADOW_BYTES) >> 2]);
      if (number === 0) continue;
      words[number - 1] = word;
      found++;
    }
    const contended = Number(CONTENDED >> 32n);
    for (let word = 0; word < count; word++)
      if (certain(this.i32[(this.layout.shadow + word * SHADOW_BYTES + 12) >> 2]) & contended) words.push(-1 - word);
    return words;
  }
  watch(words: readonly number[]): void {
    const watched = words.filter((word) => word >= 0);
    for (const [index, word] of watched.entries())
      this.i32[(this.layout.shadow + word * SHADOW_BYTES) >> 2] = index + 1;
    this.i32[CONTROL.watched >> 2] = watched.length;
    for (const word of words) if (word < 0) this.markWords(-1 - word, -word, CONTENDED);
  }
  /** Which threads touched which words so far, as (word, low, high) of their bits: what contention is judged by. */
  touchedWords(): number[] {
    const touched: number[] = [];
    const count = this.layout.userPages * (65536 / 8);
    const flags = Number(GHOST >> 32n) | Number(CONTENDED >> 32n);
    for (let word = 0; word < count; word++) {
      const at = (this.layout.shadow + word * SHADOW_BYTES + 8) >> 2;
      const [low, high] = [certain(this.i32[at]), certain(this.i32[at + 1]) & ~flags];
      if ((low | high) !== 0) touched.push(word, low, high);
    }
    return touched;
  }
  /** Takes over what another search, or an earlier part of this one, has noted. */
  touch(touched: readonly number[]): void {
    for (let index = 0; index < touched.length; index += 3) {
      const at = (this.layout.shadow + certain(touched[index]) * SHADOW_BYTES + 8) >> 2;
      this.i32[at] = certain(this.i32[at]) | certain(touched[index + 1]);
      this.i32[at + 1] = certain(this.i32[at + 1]) | certain(touched[index + 2]);
    }
  }
  /**
   * Words that two threads share by what is noted of them, and that are not marked so: what one search has seen of one
   * thread, and another of another. As watchedWords tells them; `quiet`: contended ones matter.
   */
  unnoticedWords(quiet: boolean): number[] {
    const words: number[] = [];
    const touched = this.touchedWords();
    for (let index = 0; index < touched.length; index += 3) {
      const [word, low, high] = [certain(touched[index]), certain(touched[index + 1]), certain(touched[index + 2])];
      const at = (this.layout.shadow + word * SHADOW_BYTES) >> 2;
      const marks = certain(this.i32[at + 3]);
      // Lanes from the lowest: plain reads, plain writes, atomic reads, atomic writes.
      const isWritten = low >>> 16 !== 0 || high >>> 16 !== 0;
      const threads = (low | (low >>> 16) | high | (high >>> 16)) & 0xffff;
      const isShared = (threads & (threads - 1)) !== 0;
      if (!isWritten || !isShared || (marks & Number(GHOST >> 32n)) !== 0) continue;
      if (quiet && (marks & Number(CONTENDED >> 32n)) === 0) words.push(-1 - word);
      if (low !== 0 && certain(this.i32[at]) === 0) words.push(word);
    }
    return words;
  }
  get watchedTooMany(): boolean {
    return this.i32[CONTROL.watchedFull >> 2] !== 0;
  }
  /** Turns the noting of accesses for races on or off. */
  note(on: boolean): void {
    this.i32[CONTROL.noting >> 2] = on ? 1 : 0;
  }

  /** Traced builds: the accesses of threads since the last call, in order. */
  takeTrace(): { readonly site: number; readonly address: number; readonly value: bigint }[] {
    const end = certain(this.i32[CONTROL.traceTop >> 2]);
    const view = new DataView(this.i32.buffer);
    const list = [];
    for (let at = this.layout.scratch; at < end; at += TRACE_ENTRY_BYTES)
      list.push({
        site: certain(this.i32[at >> 2]),
        address: certain(this.i32[(at >> 2) + 1]) >>> 0,
        value: view.getBigUint64(at + 8, true),
      });
    this.i32[CONTROL.traceTop >> 2] = this.layout.scratch;
    return list;
  }

  private classify(error: unknown, thread: number): Violation {
    const fault = certain(this.i32[CONTROL.fault >> 2]);
    const address = certain(this.i32[CONTROL.faultAddress >> 2]);
    this.i32[CONTROL.fault >> 2] = FAULT.none;
    switch (fault) {
      case FAULT.race:
        return { kind: "race", thread, other: certain(this.i32[CONTROL.faultOther >> 2]), address };
      case FAULT.mixedWidth:
        return { kind: "mixed-width", thread, address };
      case FAULT.plainLoop:
        return { kind: "plain-loop", thread };
      case FAULT.stackDepth:
        return { kind: "stack-depth", thread };
      case FAULT.unaligned:
        return { kind: "unaligned", thread, address };
    }
    if (error instanceof HostAbort) return { kind: "assertion", thread, message: error.message };
    if (error instanceof WebAssembly.RuntimeError) return { kind: "trap", thread, message: error.message };
    if (error instanceof RangeError) return { kind: "trap", thread, message: "the call stack is exhausted" };
    throw error;
  }

  /** Judges the state that was reached, the fingerprint being read already; leaves it as it was. */
  judge(): Violation | undefined {
    const { i32, options } = this;
    const ended = (certain(i32[CONTROL.enabled >> 2]) | certain(i32[CONTROL.timed >> 2])) === 0;
    if (ended && !this.allFinished && !options.restIsFinal) {
      const finished = certain(i32[CONTROL.finished >> 2]);
      return {
        kind: "deadlock",
        waiting: Array.from({ length: this.threads }, (_, t) => t).filter((t) => !(finished & (1 << t))),
      };
    }
    if (options.invariant !== undefined) {
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
    const { i32 } = this;
    const mark = this.mark;
    const kept = [
      certain(i32[CONTROL.enabled >> 2]),
      certain(i32[CONTROL.timed >> 2]),
      certain(i32[CONTROL.finished >> 2]),
    ];
    const [low, high] = [this.low, this.high];
    try {
      this.runToEnd(this.threads, entry);
      return certain(i32[CONTROL.results >> 2]);
    } catch (error) {
      if (error instanceof UnusableModule) throw error;
      return this.classify(error, this.threads);
    } finally {
      this.engine.undo(mark);
      [i32[CONTROL.enabled >> 2], i32[CONTROL.timed >> 2], i32[CONTROL.finished >> 2]] = kept as [
        number,
        number,
        number,
      ];
      [i32[CONTROL.fingerprint >> 2], i32[(CONTROL.fingerprint >> 2) + 1]] = [low, high];
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
      const address = certain(i32[entry >> 2]);
      if (seen.has(address)) continue;
      seen.add(address);
      out.push(address, certain(i32[address >> 2]), certain(i32[(address >> 2) + 1]));
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
      i32[at >> 2] = certain(snapshot[i]);
      i32[(at >> 2) + 2] = certain(snapshot[i + 1]);
      i32[(at >> 2) + 3] = certain(snapshot[i + 2]);
      at += LOG_ENTRY_BYTES;
    }
    this.engine.restore(this.layout.scratch, at);
    this.engine.finish();
  }
}
