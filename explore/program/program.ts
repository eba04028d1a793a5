// Program: an instrumented module at work: one memory that holds all threads, stepped, undone, captured, restored.
//
// Owner: one search at a time. Invariant: the log's entries since the root, undone, give the root state back exactly.
// Choices are numbers: t steps thread t, 16 + t lets the time-out of thread t's wait expire.
// Pairs with: instrument.ts (made the module), layout.ts (the words read here), the searches.

import type { ExplorableModule } from "../instrument/explorable.ts";
import { readNames } from "../../wasm/names.ts";
import { I32 } from "../../wasm/opcodes.ts";
import type { Entry, Instrumented } from "../instrument/instrument.ts";
import {
  ACCESS,
  BLOCK,
  BLOCK_BYTES,
  CHECKED_BYTES,
  CONTENDED,
  CONTROL,
  FAULT,
  GHOST,
  LOG_ENTRY_BYTES,
  PAGE_BYTES,
  SHADOW_BYTES,
  STATUS,
  TRACE_ENTRY_BYTES,
  RACE_TRACKED_MAX,
} from "../instrument/layout.ts";
import type { Layout } from "../instrument/layout.ts";
import type { ThreadLocals } from "../instrument/start-up.ts";
import type { Violation } from "./violation.ts";
import { assertDefined } from "../assert-defined.ts";

/** Something is wrong with how the module is used; the message is one line. */
export class UnusableModule extends Error {}

class HostAbort extends Error {}

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

export interface ProgramOptions {
  readonly module: ExplorableModule;
  readonly instrumented: Instrumented;
  readonly entries: readonly Entry[];
  readonly threads: number;
  /** Symmetry class of each thread. */
  readonly classes: readonly number[];
  readonly plainLoopMax: number;
  readonly stepsMax: number | undefined;
  readonly races: boolean;
  readonly coalesceInvisible: boolean;
  /** Steps say truly whether they touch what checks read. */
  readonly incrementalInvariant: boolean;
  /** An end in which threads wait is a rest that `final` judges, not a deadlock. */
  readonly allowBlockedEnd: boolean;
  readonly threadLocals: ThreadLocals | undefined;
  /** Ranges of the user's bytes that are no state. */
  readonly ghosts: readonly (readonly [number, number])[];
  readonly costCounters: { readonly at: number; readonly count: number } | undefined;
  /** What the import `probe.at` calls. */
  readonly probe: ((argument: number) => void) | undefined;
  /** Indices into entries. */
  readonly start: number | undefined;
  /** What the main instance runs once, before init. */
  readonly constructors: readonly number[];
  readonly init: number | undefined;
  readonly invariant: number | undefined;
  readonly final: number | undefined;
}

/** Functions that are named where a thread traps. */
const TRAP_FRAMES_MAX = 6;
const MAIN_STEPS_MAX = 10_000_000;
const WORDS_A_PAGE = PAGE_BYTES / 8;
/** Below every index of a word that is contended, as `raceTrackedWords` has them. */
const PAUSES_FROM = -(2 ** 32);

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
  private knownWords: readonly number[] | undefined;
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
    const imports: Record<string, Record<string, WebAssembly.ImportValue>> = { engine: { memory } };
    const { probe } = options;
    for (const { module: from, name } of module.imports)
      (imports[from] ??= {})[name] ??= from === "probe" && probe !== undefined ? probe : this.hostFunction(name);
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
    const length = this.i32[(at - 4) / 4] ?? 0;
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
    i32[CONTROL.noting >> 2] = options.races ? 1 : 0;
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
      return this.classify(error, choice);
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
      return this.classify(error, choice);
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

  /** Forgets the way here; the words found to be contended meanwhile are watched from now on. */
  restart(): void {
    this.engine.undo(this.root);
    this.engine.finish();
    if (this.i32[CONTROL.raceTrackedNew >> 2] !== 0) this.knownWords = undefined;
    this.i32[CONTROL.raceTrackedNew >> 2] = 0;
    this.knownWords ??= this.raceTrackedWords();
  }

  /** What was known of words at the last restart: with it a schedule since then means the same in any other program. */
  get known(): readonly number[] {
    return assertDefined(this.knownWords);
  }

  /** Where something may have been noted of words: ranges of their indices. */
  private *summarizedRanges(): Generator<readonly [from: number, end: number]> {
    const { noted, userPages } = this.layout;
    if (noted === undefined) {
      yield [0, userPages * WORDS_A_PAGE];
      return;
    }
    for (let page = 0; page < userPages; page++)
      if (this.u8[noted + page] !== 0) yield [page * WORDS_A_PAGE, (page + 1) * WORDS_A_PAGE];
  }

  private summarizeAt(word: number): void {
    const { noted } = this.layout;
    if (noted !== undefined) this.u8[noted + Math.floor(word / WORDS_A_PAGE)] = 1;
  }

  /** Marks words of the user's memory in their shadow. */
  private markWords(from: number, end: number, flag: bigint): void {
    const view = new DataView(this.i32.buffer);
    for (let index = from; index < end; index++) {
      this.summarizeAt(index);
      const at = this.layout.shadow + index * SHADOW_BYTES + 8;
      view.setBigUint64(at, view.getBigUint64(at, true) | flag, true);
    }
  }

  /**
   * What was learnt about words of user memory, by index: those whose accesses are kept in footprints, in the order of
   * their numbers, and then, as -1 - index, those that are contended, and as PAUSES_FROM - index those that end a step.
   * It is all that a step's extent depends on, besides the state.
   */
  raceTrackedWords(): number[] {
    const { i32, u8 } = this;
    const watched = assertDefined(i32[CONTROL.watched >> 2]);
    const words = Array.from({ length: watched }, () => 0);
    const contended = Number(CONTENDED >> 32n);
    const [shadow, pauses] = [this.layout.shadow / 4, this.pausesAt(0)];
    for (const [from, end] of this.summarizedRanges())
      for (let word = from; word < end; word++) {
        const at = shadow + (word * SHADOW_BYTES) / 4;
        const [number, flags, isPause] = [
          i32[at] ?? 0,
          (i32[at + 3] ?? 0) & contended,
          u8[pauses + CHECKED_BYTES * word],
        ];
        // Their numbers are in the order of finding, not of addresses.
        if (number !== 0) words[number - 1] = word;
        if (flags !== 0) words.push(-1 - word);
        if (isPause !== 0) words.push(PAUSES_FROM - word);
      }
    return words;
  }
  watch(words: readonly number[]): void {
    const watched = words.filter((word) => word >= 0);
    for (const [index, word] of watched.entries()) {
      this.summarizeAt(word);
      this.i32[(this.layout.shadow + word * SHADOW_BYTES) / 4] = index + 1;
    }
    this.i32[CONTROL.watched >> 2] = watched.length;
    for (const word of words)
      if (word <= PAUSES_FROM) this.pauseAfter(PAUSES_FROM - word);
      else if (word < 0) this.markWords(-1 - word, -word, CONTENDED);
    this.knownWords = undefined;
  }

  /** What a schedule is replayed with: the words that were known then, and how wide other schedules access what it fails at. */
  expect(known: readonly number[], violation: Violation): void {
    this.watch(known);
    if (violation.kind !== "mixed-width") return;
    this.summarizeAt(Math.floor(violation.address / 8));
    this.i32[this.widthsAt(violation.address)] = violation.widths;
  }
  private widthsAt(address: number): number {
    return (this.layout.shadow + Math.floor(address / 8) * SHADOW_BYTES) / 4 + 1;
  }

  /** Where the mark lies that a change of the word ends a step. */
  private pausesAt(word: number): number {
    return this.layout.checked + CHECKED_BYTES * word + 1;
  }
  private pauseAfter(word: number): void {
    this.summarizeAt(word);
    this.u8[this.pausesAt(word)] = 1;
  }
  private isChecked(word: number): boolean {
    return this.u8[this.layout.checked + CHECKED_BYTES * word] !== 0;
  }

  /**
   * What was seen of each word of user memory on any path: how wide it is accessed, by whom and how, whether a check reads
   * it, whether it was written invisibly. Five numbers a word.
   */
  accessSummary(): number[] {
    const { shadow, invisibly } = this.layout;
    const accessSummary: number[] = [];
    for (const [from, end] of this.summarizedRanges())
      for (let word = from; word < end; word++) {
        const at = (shadow + word * SHADOW_BYTES) / 4;
        const [shape, low, high] = [
          assertDefined(this.i32[at + 1]),
          assertDefined(this.i32[at + 2]),
          assertDefined(this.i32[at + 3]),
        ];
        const flags = (this.isChecked(word) ? 1 : 0) | (assertDefined(this.u8[invisibly + word]) << 1);
        if ((shape | low | high | flags) !== 0) accessSummary.push(word, shape, low, high, flags);
      }
    return accessSummary;
  }

  /** Takes over what another program has seen. True: together they show what neither showed, so a search restarts. */
  learn(accessSummary: readonly number[]): boolean {
    const { i32, u8 } = this;
    const { shadow, checked, invisibly } = this.layout;
    let isNew = false;
    this.knownWords = undefined;
    for (let from = 0; from < accessSummary.length; from += 5) {
      const [word, shape, low, high, flags] = accessSummary.slice(from, from + 5) as [
        number,
        number,
        number,
        number,
        number,
      ];
      const at = (shadow + word * SHADOW_BYTES) / 4;
      this.summarizeAt(word);
      if ((flags & 1) !== 0) u8[checked + CHECKED_BYTES * word] = 1;
      u8[invisibly + word] = assertDefined(u8[invisibly + word]) | (flags >> 1);
      i32[at + 2] = assertDefined(i32[at + 2]) | low;
      i32[at + 3] = assertDefined(i32[at + 3]) | high;
      // A nibble a byte says how wide it is accessed. The access of another width is the fault, and a search finds it.
      for (let nibble = 15; nibble !== 0; nibble <<= 4) {
        const here = assertDefined(i32[at + 1]) & nibble;
        if (here === 0) i32[at + 1] = assertDefined(i32[at + 1]) | (shape & nibble);
        else if ((shape & nibble) !== 0 && (shape & nibble) !== here) isNew = true;
      }
      if (this.isMet(at)) isNew = true;
    }
    return this.contendChecked() || isNew;
  }

  /** As runtime-invisible.ts says of one access: does the word become contended, or one to keep footprints of? */
  private isMet(at: number): boolean {
    const { i32, options } = this;
    const [low, high] = [assertDefined(i32[at + 2]), assertDefined(i32[at + 3])];
    const writes = ((low | high) & 0xffff0000) !== 0;
    // Ghosts are no state.
    if ((options.ghosts.length > 0 && high < 0) || !writes) return false;
    let isNew = false;
    const threads = (low | (low >>> 16) | high | (high >>> 16)) & (options.coalesceInvisible ? 0x7fff : 0xffff);
    if ((threads & (threads - 1)) === 0) return false;
    const contended = Number(CONTENDED >> 32n);
    if (options.coalesceInvisible && (high & contended) === 0) {
      i32[at + 3] = high | contended;
      isNew = true;
    }
    if (low !== 0 && i32[at] === 0) {
      const count = assertDefined(i32[CONTROL.watched >> 2]);
      if (count >= RACE_TRACKED_MAX) i32[CONTROL.raceTrackedFull >> 2] = 1;
      else {
        i32[at] = count + 1;
        i32[CONTROL.watched >> 2] = count + 1;
        isNew = true;
      }
    }
    return isNew;
  }

  forgetInvisible(): void {
    const { invisibly } = this.layout;
    for (const [from, end] of this.summarizedRanges()) this.u8.fill(0, invisibly + from, invisibly + end);
  }

  /** Notes the words of user memory that were changed since a mark: in states that no check was asked about. */
  hideSince(mark: number): void {
    const { invisibly, userBase } = this.layout;
    for (let entry = mark; entry < this.mark; entry += LOG_ENTRY_BYTES) {
      const at = assertDefined(this.i32[entry >> 2]) >>> 0;
      if (at < userBase) continue;
      this.summarizeAt((at - userBase) / 8);
      this.u8[invisibly + (at - userBase) / 8] = 1;
    }
  }

  /**
   * Words that were changed within a step that went on behind an invisible access, or before the search began, and that a check
   * reads: it shall see each value. So they are contended, and a step that changes one of them pauses at its next atomic
   * access. Were there any? Then what was searched before has to be searched again.
   */
  contendChecked(): boolean {
    const { invisibly } = this.layout;
    let found = false;
    for (const [from, end] of this.summarizedRanges())
      for (let word = from; word < end; word++) {
        // The mark of a load that reaches over from the word before counts.
        if (this.u8[invisibly + word] === 0 || !(this.isChecked(word) || (word > 0 && this.isChecked(word - 1))))
          continue;
        this.u8[invisibly + word] = 0;
        this.markWords(word, word + 1, CONTENDED);
        this.pauseAfter(word);
        found = true;
      }
    if (found) this.knownWords = undefined;
    return found;
  }
  /** Was something learnt of a word since the last restart that schedules depend on? */
  get metNewWord(): boolean {
    return this.i32[CONTROL.raceTrackedNew >> 2] !== 0;
  }
  get raceTrackedTooMany(): boolean {
    return this.i32[CONTROL.raceTrackedFull >> 2] !== 0;
  }
  get isNoting(): boolean {
    return this.i32[CONTROL.noting >> 2] !== 0;
  }
  /** Turns the noting of accesses for races on or off. */
  note(on: boolean): void {
    this.i32[CONTROL.noting >> 2] = on ? 1 : 0;
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

  private classify(error: unknown, thread: number): Violation {
    const fault = assertDefined(this.i32[CONTROL.fault >> 2]);
    const address = assertDefined(this.i32[CONTROL.faultAddress >> 2]);
    this.i32[CONTROL.fault >> 2] = FAULT.none;
    switch (fault) {
      case FAULT.race:
        return { kind: "race", thread, other: assertDefined(this.i32[CONTROL.faultOther >> 2]), address };
      case FAULT.mixedWidth:
        return { kind: "mixed-width", thread, address, widths: assertDefined(this.i32[this.widthsAt(address)]) };
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
      return { kind: "trap", thread, message: `${message}${this.whereabouts(error)}` };
    }
    if (error instanceof RangeError) return { kind: "trap", thread, message: "the call stack is exhausted" };
    throw error;
  }

  /** In which functions it happened, innermost first, as far as the engine reports: " in f, called by g". */
  private whereabouts({ stack }: Error): string {
    const { module, instrumented } = this.options;
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
      return this.classify(error, this.threads);
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
