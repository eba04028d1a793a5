// Interpret: every interleaving of an abstract program, access by access, without any reduction but that equal states are one.
//
// Shares no code with the explorer, nor with wasm/: it runs the abstract program, of which only encode-program.ts makes a module,
// so it needs no reader of the binary format. It judges races in another way: two accesses conflict when two threads stand before
// them in one state.
// Owner: none, pure. Pairs with: abstract-machine.ts (steps), compare.ts (holds the explorer against this).

import type { AbstractProgram } from "./ast.ts";
import { WINDOWS } from "./ast.ts";
import type { Access } from "./lower.ts";
import { lower } from "./lower.ts";
import { copyThread, type State, type Thread, Wrong } from "./interpreter-state.ts";
import { Machine } from "./abstract-machine.ts";
import type { Window } from "./memory-image.ts";
import { MemoryImage } from "./memory-image.ts";

export type Kind =
  "trap" | "assertion" | "unaligned" | "race" | "mixed-width" | "deadlock" | "livelock" | "invariant" | "final";

export interface FinalMemory {
  readonly windows: readonly Window[];
  readonly bytes: Uint8Array;
  readonly pages: number;
}

export interface Meaning {
  /** All kinds of faults that some interleaving has; `livelock` apart from the others. */
  readonly kinds: ReadonlySet<Kind>;
  /** Is there a state from which no end is reached? Says something only where nothing else is wrong. */
  readonly livelock: boolean;
  readonly finals: ReadonlyMap<string, FinalMemory>;
  /** The bytes before anything ran: the active segments. */
  readonly loaded: Uint8Array;
  readonly windows: readonly Window[];
  readonly states: number;
}

export interface Surroundings {
  /** Where each thread's thread-local variables are; the last is the main instance's. */
  readonly threadLocals: readonly number[];
  /** The first address behind the module's own pages. */
  readonly pagesEnd: number;
  readonly statesMax: number;
}

/** Undefined: more states than allowed. */
export function interpret(program: AbstractProgram, surroundings: Surroundings): Meaning | undefined {
  return new Interpretation(program, surroundings).run();
}

interface Span {
  readonly from: number;
  readonly end: number;
  readonly writes: boolean;
  readonly atomic: boolean;
}

class Interpretation {
  private readonly program: AbstractProgram;
  private readonly surroundings: Surroundings;
  private readonly machine: Machine;
  private readonly windows: readonly Window[];
  private readonly kinds = new Set<Kind>();
  private readonly finals = new Map<string, FinalMemory>();
  /** How wide each byte was accessed atomically. */
  private readonly widths = new Map<number, number>();
  private readonly main: Thread;
  private readonly indices = new Map<string, number>();
  /** The states that lead to each state, and those at an end. */
  private readonly before: number[][] = [];
  private readonly ends: number[] = [];
  private readonly open: { readonly state: State; readonly index: number }[] = [];

  constructor(program: AbstractProgram, surroundings: Surroundings) {
    this.program = program;
    this.surroundings = surroundings;
    this.machine = new Machine(program, lower(program), program.pagesMax, (address, width) =>
      this.noteWidth(address, width),
    );
    const bytes = program.threadLocalBytes;
    const blocks = bytes === 0 ? [] : surroundings.threadLocals.map((from): Window => [from, bytes]);
    this.windows = [...WINDOWS, ...blocks];
    this.main = this.newThread();
  }

  run(): Meaning | undefined {
    const memory = new MemoryImage(this.windows, this.surroundings.pagesEnd);
    for (const { at, bytes } of this.program.segments)
      if (at !== undefined) for (const [i, byte] of bytes.entries()) memory.write(at + i, 1, BigInt(byte));
    const loaded = memory.bytes.slice();
    this.reach(this.setUp({ memory, pages: this.program.pages, threads: [], queue: [] }));
    for (let at = this.open.pop(); at; at = this.open.pop()) {
      if (this.indices.size > this.surroundings.statesMax) return undefined;
      this.expand(at.state, at.index);
    }
    const { kinds, finals, windows } = this;
    return { kinds, livelock: this.hasLivelock(), finals, loaded, windows, states: this.indices.size };
  }

  private newThread(): Thread {
    const globals = this.program.globals.map(({ initial }) => initial);
    return { status: "starting", frames: [], globals, dropped: 0, waitsAt: 0, text: undefined };
  }

  /** As a host does it: the main instance first, then each thread's own. */
  private setUp(state: State): State {
    const { program, machine, main } = this;
    const begin = (thread: Thread, block: number | undefined): void => {
      if (program.start !== undefined) machine.runAlone(state, thread, program.start, []);
      if (program.threadLocalBytes === 0 || block === undefined) return;
      thread.globals[0] = BigInt(block);
      for (const [i, byte] of (program.segments[0]?.bytes ?? []).entries())
        state.memory.write(block + i, 1, BigInt(byte));
    };
    begin(main, this.surroundings.threadLocals.at(-1));
    if (program.init !== undefined) machine.runAlone(state, main, program.init, []);
    for (const [index, { callee, args }] of program.threads.entries()) {
      const thread = this.newThread();
      begin(thread, this.surroundings.threadLocals[index]);
      thread.status = "starting";
      thread.frames = [machine.frameOf(callee, args)];
      state.threads.push(thread);
    }
    return state;
  }

  private noteWidth(address: number, width: number): void {
    for (let byte = address; byte < address + width; byte++) {
      const known = this.widths.get(byte);
      if (known === undefined) this.widths.set(byte, width);
      else if (known !== width) this.kinds.add("mixed-width");
    }
  }

  /** The index of a state, which is judged and opened where it is new. */
  private reach(state: State): number {
    const key = textOf(state);
    const known = this.indices.get(key);
    if (known !== undefined) return known;
    const index = this.indices.size;
    this.indices.set(key, index);
    this.before.push([]);
    this.judge(state, index);
    this.open.push({ state, index });
    return index;
  }

  private expand(state: State, index: number): void {
    const follow = (make: () => State): void => {
      try {
        this.before[this.reach(make())]?.push(index);
      } catch (error) {
        if (!(error instanceof Wrong)) throw error;
        this.kinds.add(error.kind);
        // The program ends here.
        this.ends.push(index);
      }
    };
    for (const [thread, { status }] of state.threads.entries()) {
      if (status === "waiting-timed") follow(() => this.machine.expire(state, thread));
      else if (status !== "finished" && status !== "waiting") follow(() => this.machine.step(state, thread));
    }
  }

  private judge(state: State, index: number): void {
    const { threads } = state;
    this.judgeRaces(state);
    const isEnd = threads.every(({ status }) => status === "finished" || status === "waiting");
    if (isEnd) {
      this.ends.push(index);
      if (threads.some(({ status }) => status === "waiting")) {
        this.kinds.add("deadlock");
        return;
      }
      const { bytes, text } = state.memory;
      this.finals.set(`${state.pages}:${text}`, { windows: this.windows, bytes, pages: state.pages });
    }
    const { invariant, final } = this.program;
    if (invariant !== undefined && this.isBetweenSteps(state) && this.ask(state, invariant) !== 0n)
      this.kinds.add("invariant");
    if (isEnd && final !== undefined && this.ask(state, final) !== 0n) this.kinds.add("final");
  }

  /** Plain accesses between two atomic ones are one to whoever checks. */
  private isBetweenSteps({ threads }: State): boolean {
    return threads.every((thread) => {
      const pending = this.machine.pending(thread);
      return !pending || isAtomicAccess(pending.access);
    });
  }

  private ask(state: State, check: number): bigint {
    const memory = state.memory.copy();
    return this.machine.runAlone({ ...state, memory }, copyThread(this.main), check, [])[0] ?? 0n;
  }

  private judgeRaces(state: State): void {
    if (this.kinds.has("race")) return;
    const spans = state.threads.map((thread) => this.spansOf(state, thread));
    for (const [i, mine] of spans.entries())
      for (const theirs of spans.slice(i + 1))
        if (mine.some((a) => theirs.some((b) => conflict(a, b)))) this.kinds.add("race");
  }

  /** The bytes that a thread's next access touches. */
  private spansOf({ memory, pages }: State, thread: Thread): Span[] {
    const pending = this.machine.pending(thread);
    if (!pending) return [];
    const { access, stack } = pending;
    const operand = (fromTop: number): number => Number(stack[stack.length - fromTop] ?? 0n);
    const span = (from: number, bytes: number, writes: boolean, atomic: boolean): Span[] =>
      memory.isInside(from, bytes, pages) ? [{ from, end: from + bytes, writes, atomic }] : [];
    switch (access.do) {
      case "load":
        return span(operand(1) + access.offset, access.width, false, false);
      case "store":
        return span(operand(2) + access.offset, access.width, true, false);
      case "atomic-load":
        return span(operand(1) + access.offset, access.width, false, true);
      case "wait":
        return span(operand(2) + access.offset, access.width, false, true);
      case "atomic-store":
      case "rmw":
        return span(operand(2) + access.offset, access.width, true, true);
      case "cmpxchg": {
        const address = operand(3) + access.offset;
        if (!memory.isInside(address, access.width, pages)) return [];
        const expected = BigInt.asUintN(8 * access.width, stack[stack.length - 2] ?? 0n);
        return span(address, access.width, memory.read(address, access.width) === expected, true);
      }
      case "fill":
      case "init":
        return span(operand(3), operand(1), true, false);
      case "copy":
        return [...span(operand(3), operand(1), true, false), ...span(operand(2), operand(1), false, false)];
      case "notify":
      case "size":
      case "grow":
        return [];
      default:
        return access satisfies never;
    }
  }

  /** Is there a state that no end follows? */
  private hasLivelock(): boolean {
    const leads = new Set(this.ends);
    const left = [...leads];
    for (let index = left.pop(); index !== undefined; index = left.pop())
      for (const earlier of this.before[index] ?? [])
        if (!leads.has(earlier)) {
          leads.add(earlier);
          left.push(earlier);
        }
    return leads.size < this.indices.size;
  }
}

const PLAIN: ReadonlySet<Access["do"]> = new Set(["load", "store", "fill", "copy", "init"]);
const isAtomicAccess = (access: Access): boolean => !PLAIN.has(access.do);

const conflict = (a: Span, b: Span): boolean =>
  a.from < b.end && b.from < a.end && (a.writes || b.writes) && !(a.atomic && b.atomic);

function textOf({ memory, pages, threads, queue }: State): string {
  let text = `${pages}/${queue.join()}/${memory.text}`;
  for (const thread of threads) text += thread.text ??= textOfThread(thread);
  return text;
}

function textOfThread({ status, frames, globals, dropped, waitsAt }: Thread): string {
  let text = `/${status}:${status.startsWith("waiting") ? waitsAt : 0}:${dropped}:${globals.join()}`;
  for (const { callee, at, locals, stack } of frames) text += `;${callee}@${at}[${locals.join()}](${stack.join()})`;
  return text;
}
