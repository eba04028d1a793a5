// Word knowledge: what a program has learnt of each word of user memory on any path: who touches it, how wide, whether a
// check reads it, whether it was changed invisibly; and what follows, that it is contended or race-tracked.
//
// Owner: one program; it outlives restarts of a search. Invariant: knowledge is only added within a search.
// Pairs with: explore/runtime/shadow.ts (learns the same of one access), engine-layout.ts (the shadow), program.ts.

import {
  CHECKED_BYTES,
  CONTENDED,
  CONTROL,
  GHOST,
  LOG_ENTRY_BYTES,
  PAGE_BYTES,
  RACE_TRACKED_MAX,
  SHADOW_BYTES,
} from "../instrument/engine-layout.ts";
import type { Layout } from "../instrument/engine-layout.ts";
import type { ProgramOptions } from "./program-options.ts";
import type { Violation } from "./violation.ts";
import { assertDefined } from "../../wasm/assert-defined.ts";

const WORDS_A_PAGE = PAGE_BYTES / 8;
/** Below every index of a word that is contended, as `raceTrackedWords` has them. */
const PAUSES_FROM = -(2 ** 32);

export class WordKnowledge {
  private readonly layout: Layout;
  private readonly i32: Int32Array;
  private readonly u8: Uint8Array;
  private readonly options: ProgramOptions;
  private knownWords: readonly number[] | undefined;

  constructor(memory: WebAssembly.Memory, options: ProgramOptions) {
    this.options = options;
    this.layout = options.instrumented.layout;
    this.i32 = new Int32Array(memory.buffer);
    this.u8 = new Uint8Array(memory.buffer);
  }

  /** What was learnt since the last restart is known from now on. */
  restart(): void {
    if (this.metNewWord) this.knownWords = undefined;
    this.i32[CONTROL.raceTrackedNew >> 2] = 0;
    this.knownWords ??= this.raceTrackedWords();
  }

  /** What was known of words at the last restart: with it a schedule since then means the same in any other program. */
  get known(): readonly number[] {
    return assertDefined(this.knownWords);
  }

  /** Ranges of the user's bytes that are no state. */
  markGhosts(ghosts: ProgramOptions["ghosts"]): void {
    for (const [from, end] of ghosts) this.markWords(from / 8, end / 8, GHOST);
  }

  /** Where words may have access summaries: ranges of their indices. */
  private *summarizedRanges(): Generator<readonly [from: number, end: number]> {
    const { summarized, userPages } = this.layout;
    if (summarized === undefined) {
      yield [0, userPages * WORDS_A_PAGE];
      return;
    }
    for (let page = 0; page < userPages; page++)
      if (this.u8[summarized + page] !== 0) yield [page * WORDS_A_PAGE, (page + 1) * WORDS_A_PAGE];
  }

  private summarizeAt(word: number): void {
    const { summarized } = this.layout;
    if (summarized !== undefined) this.u8[summarized + Math.floor(word / WORDS_A_PAGE)] = 1;
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
    const raceTracked = assertDefined(i32[CONTROL.raceTracked >> 2]);
    const words = Array.from({ length: raceTracked }, () => 0);
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
  trackRaces(words: readonly number[]): void {
    const raceTracked = words.filter((word) => word >= 0);
    for (const [index, word] of raceTracked.entries()) {
      this.summarizeAt(word);
      this.i32[(this.layout.shadow + word * SHADOW_BYTES) / 4] = index + 1;
    }
    this.i32[CONTROL.raceTracked >> 2] = raceTracked.length;
    for (const word of words)
      if (word <= PAUSES_FROM) this.pauseAfter(PAUSES_FROM - word);
      else if (word < 0) this.markWords(-1 - word, -word, CONTENDED);
    this.knownWords = undefined;
  }

  /** What a schedule is replayed with: the words that were known then, and how wide other schedules access what it fails at. */
  expect(known: readonly number[], violation: Violation): void {
    this.trackRaces(known);
    if (violation.kind !== "mixed-width") return;
    this.summarizeAt(Math.floor(violation.address / 8));
    this.i32[this.widthsAt(violation.address)] = violation.widths;
  }
  /** How wide the word at an address is accessed, as the engine records it. */
  widthsOf(address: number): number {
    return assertDefined(this.i32[this.widthsAt(address)]);
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
      // A nibble a byte holds how wide it is accessed. The access of another width is the fault, and a search finds it.
      for (let nibble = 15; nibble !== 0; nibble <<= 4) {
        const here = assertDefined(i32[at + 1]) & nibble;
        if (here === 0) i32[at + 1] = assertDefined(i32[at + 1]) | (shape & nibble);
        else if ((shape & nibble) !== 0 && (shape & nibble) !== here) isNew = true;
      }
      if (this.isMet(at)) isNew = true;
    }
    return this.contendChecked() || isNew;
  }

  /** As runtime-invisible.ts decides for one access: does the word become contended, or one to keep footprints of? */
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
      const count = assertDefined(i32[CONTROL.raceTracked >> 2]);
      if (count >= RACE_TRACKED_MAX) i32[CONTROL.raceTrackedFull >> 2] = 1;
      else {
        i32[at] = count + 1;
        i32[CONTROL.raceTracked >> 2] = count + 1;
        isNew = true;
      }
    }
    return isNew;
  }

  forgetInvisible(): void {
    const { invisibly } = this.layout;
    for (const [from, end] of this.summarizedRanges()) this.u8.fill(0, invisibly + from, invisibly + end);
  }

  /** Marks the words of user memory that were changed between two marks of the log: in states that no check was asked about. */
  hideSince(mark: number, end: number): void {
    const { invisibly, userBase } = this.layout;
    for (let entry = mark; entry < end; entry += LOG_ENTRY_BYTES) {
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
}
